import { getJourneyStats, getJourneyVersions } from '@huitou/admin-kit/api/journeys.ts'
import type { Journey } from '@huitou/admin-kit/api/journeys.ts'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import type { Ref } from 'vue'
import { figuresOf } from './canvas/figures.ts'
import { journeyKeys } from './use-journeys.ts'

/** What happened at every step of a published journey, fresh while it runs, and the versions there were. */
export function useJourneyStats(journey: Ref<Journey | undefined>) {
  const id = computed(() => journey.value?.id ?? '')
  const isPublished = computed(() => journey.value !== undefined && journey.value.publishedVersion !== null)
  const stats = useQuery({
    queryKey: computed(() => journeyKeys.part(id.value, 'stats')),
    queryFn: ({ signal }) => getJourneyStats(id.value, signal),
    enabled: isPublished,
    refetchInterval: () => (journey.value?.state === 'live' ? 5_000 : 30_000),
    placeholderData: (before) => before,
  })
  const versionQuery = useQuery({
    queryKey: computed(() => journeyKeys.part(id.value, 'versions', journey.value?.publishedVersion)),
    queryFn: ({ signal }) => getJourneyVersions(id.value, signal),
    enabled: isPublished,
    retry: false,
  })
  const versions = computed(() => (isPublished.value ? (versionQuery.data.value?.versions ?? []) : []))
  return {
    figures: computed(() =>
      isPublished.value && stats.data.value ? figuresOf(stats.data.value.nodes) : undefined,
    ),
    versions,
    /** The definition that customers enter now. */
    inForce: computed(
      () =>
        versions.value.find(({ version }) => version === journey.value?.publishedVersion)?.definition ??
        undefined,
    ),
  }
}
