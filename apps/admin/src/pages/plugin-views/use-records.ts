import { findRecords, queryKeys } from '@huitou/admin-kit'
import type { RecordFilter, RecordNames } from '@huitou/admin-kit'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'

export interface RecordsAsked {
  collection: string
  filter?: RecordFilter | undefined
  search?: string | undefined
  sort?: string | undefined
  limit?: number
}

/** Records that fit, loaded page by page, with the names of what they refer to. */
export function useRecords(
  asked: MaybeRefOrGetter<RecordsAsked>,
  options: { enabled?: MaybeRefOrGetter<boolean> } = {},
) {
  const query = useInfiniteQuery({
    queryKey: computed(() => {
      const { collection, ...rest } = toValue(asked)
      return queryKeys.records(collection, 'list', rest)
    }),
    queryFn: ({ pageParam, signal }) => {
      const { collection, ...rest } = toValue(asked)
      return findRecords(
        collection,
        { limit: 100, ...rest, ...(pageParam ? { cursor: pageParam } : {}) },
        signal,
      )
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.cursor ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    enabled: computed(() => toValue(options.enabled) ?? true),
  })
  const records = computed(() => (query.data.value?.pages ?? []).flatMap((page) => page.records))
  const names = computed<RecordNames>(() => {
    const merged: RecordNames = { customers: {}, records: {}, authors: {} }
    for (const page of query.data.value?.pages ?? []) {
      Object.assign(merged.customers, page.names.customers)
      Object.assign(merged.authors, page.names.authors)
      for (const [field, titles] of Object.entries(page.names.records))
        merged.records[field] = { ...merged.records[field], ...titles }
    }
    return merged
  })
  const total = computed(() => query.data.value?.pages[0]?.total ?? undefined)

  function more() {
    if (query.hasNextPage.value && !query.isFetchingNextPage.value) void query.fetchNextPage()
  }

  return { query, records, names, total, more }
}
