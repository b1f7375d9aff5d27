import { listJourneys } from '@huitou/admin-kit/api/journeys.ts'
import type { JourneyState, JourneySummary } from '@huitou/admin-kit/api/journeys.ts'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'

export const journeyKeys = {
  all: ['journeys'],
  one: (id: string) => ['journeys', id],
  part: (id: string, ...part: unknown[]) => ['journeys', id, ...part],
  templates: ['plugins', 'journey-templates'],
} as const

const order: JourneyState[] = ['live', 'draft', 'paused', 'ended']

/** All journeys; those that run first. */
export function useJourneys() {
  const query = useQuery({
    queryKey: journeyKeys.all,
    queryFn: ({ signal }) => listJourneys(signal),
    staleTime: 10_000,
    refetchInterval: 15_000,
  })
  const journeys = computed(() => query.data.value?.journeys ?? [])
  return { query, journeys }
}

/** Journeys by state, in the order in which people look for them. */
export function byState(journeys: readonly JourneySummary[]) {
  return order
    .map((state) => ({ state, journeys: journeys.filter((journey) => journey.state === state) }))
    .filter((group) => group.journeys.length > 0)
}
