import { listSegments, queryKeys, useLocalized } from '@huitou/admin-kit'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { inWords } from './segment-groups.ts'

/** All segments, named in the reader's language. */
export function useSegments() {
  const localized = useLocalized()
  const query = useQuery({ queryKey: queryKeys.segments, queryFn: ({ signal }) => listSegments(signal), staleTime: 60_000 })
  const segments = computed(() => inWords(query.data.value?.segments ?? [], localized))
  return { query, segments, findSegment: (id: string) => segments.value.find((segment) => segment.id === id) }
}
