import { getDelivery, listDeliveries, queryKeys, summarizeDeliveries, useMay } from '@huitou/admin-kit'
import type { DeliveryFilter } from '@huitou/admin-kit'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'

/** Deliveries that answer a filter, newest first, loaded as one scrolls. */
export function useDeliveryList(filter: MaybeRefOrGetter<DeliveryFilter>, limit = 50) {
  const query = useInfiniteQuery({
    queryKey: computed(() => [...queryKeys.deliveries, 'list', toValue(filter), limit]),
    queryFn: ({ pageParam, signal }) =>
      listDeliveries({ ...toValue(filter), before: pageParam, limit }, signal),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  })
  const rows = computed(() => (query.data.value?.pages ?? []).flatMap((page) => page.deliveries))
  function more() {
    if (query.hasNextPage.value && !query.isFetchingNextPage.value) void query.fetchNextPage()
  }
  return { query, rows, more }
}

/** How many there are by state, reason, channel and day; nothing for those who may not see figures. */
export function useSummary(filter: MaybeRefOrGetter<DeliveryFilter>) {
  const may = useMay()
  return useQuery({
    queryKey: computed(() => [...queryKeys.deliveries, 'summary', toValue(filter)]),
    queryFn: ({ signal }) => summarizeDeliveries(toValue(filter), signal),
    enabled: computed(() => may('messages.figures')),
    placeholderData: keepPreviousData,
  })
}

export function useDelivery(id: MaybeRefOrGetter<string | undefined>) {
  return useQuery({
    queryKey: computed(() => queryKeys.delivery(toValue(id) ?? '')),
    queryFn: ({ signal }) => getDelivery(toValue(id) ?? '', signal),
    enabled: computed(() => toValue(id) !== undefined),
  })
}
