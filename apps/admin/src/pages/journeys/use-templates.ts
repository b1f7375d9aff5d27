import { listJourneyTemplates } from '@huitou/admin-kit/api/journeys.ts'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { journeyKeys } from './use-journeys.ts'

/** Journeys that extensions bring, ready to be switched on. */
export function useTemplates() {
  const query = useQuery({
    queryKey: journeyKeys.templates,
    queryFn: ({ signal }) => listJourneyTemplates(signal),
    staleTime: 60_000,
    retry: false,
  })
  return { query, templates: computed(() => query.data.value?.templates ?? []) }
}
