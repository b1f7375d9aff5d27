import { listSegments, queryKeys, useColumns, useLocalized, useMay } from '@huitou/admin-kit'
import type { Segment } from '@huitou/admin-kit'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { inWords } from './segment-groups.ts'

/** All segments, named in the reader's language. */
export function useSegments() {
  const localized = useLocalized()
  const may = useMay()
  const query = useQuery({
    queryKey: queryKeys.segments,
    queryFn: ({ signal }) => listSegments(signal),
    staleTime: 60_000,
    // Where segments only help to find customers, there is nothing to choose from.
    enabled: computed(() => may('segments.read')),
  })
  const { findColumn } = useColumns()
  const segments = computed(() =>
    inWords(query.data.value?.segments ?? [], localized).toSorted((a, b) => placeOf(a) - placeOf(b)),
  )

  /** Segments that stand for labels keep the order their plugin gave the labels: from best to worst. */
  function placeOf({ kind, rule }: Segment): number {
    const [only] = rule && 'all' in rule ? rule.all : []
    if (kind !== 'builtin' || !only || !('column' in only)) return 0
    const values = Array.isArray(only.value) ? only.value : [only.value]
    return findColumn(only.column)?.options?.findIndex((option) => option.value === values[0]) ?? 0
  }

  return { query, segments, findSegment: (id: string) => segments.value.find((segment) => segment.id === id) }
}
