import { countTasks, listPeople, listQueues, listTasks, queryKeys } from '@huitou/admin-kit'
import type { TaskFilter } from '@huitou/admin-kit'
import { useInfiniteQuery, useQuery } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'

/** A page of tasks after the other. */
export function useTasks(filter: MaybeRefOrGetter<TaskFilter>) {
  const query = useInfiniteQuery({
    queryKey: computed(() => [...queryKeys.tasks, 'list', toValue(filter)]),
    queryFn: ({ signal, pageParam }) =>
      listTasks({ limit: 50, ...toValue(filter), ...(pageParam ? { before: pageParam } : {}) }, signal),
    initialPageParam: 0,
    getNextPageParam: (last) => last.next ?? undefined,
    // A clock that starts to run again is known to the server first.
    refetchInterval: 60_000,
  })
  const tasks = computed(() => query.data.value?.pages.flatMap((page) => page.tasks) ?? [])
  return { query, tasks }
}

/** How many tasks are open, mine, overdue. */
export function useTaskCounts() {
  return useQuery({
    queryKey: [...queryKeys.tasks, 'counts'],
    queryFn: ({ signal }) => countTasks(signal),
    refetchInterval: 60_000,
  })
}

export function useTaskQueues() {
  return useQuery({
    queryKey: queryKeys.taskQueues,
    queryFn: ({ signal }) => listQueues(signal),
    staleTime: 60_000,
  })
}

/** Everybody that work can be given to. */
export function usePeople() {
  return useQuery({
    queryKey: queryKeys.people,
    queryFn: ({ signal }) => listPeople(signal),
    staleTime: 5 * 60_000,
  })
}
