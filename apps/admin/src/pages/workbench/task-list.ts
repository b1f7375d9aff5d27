import type { LocationQuery } from 'vue-router'

export const TASK_LISTS = ['open', 'mine', 'overdue', 'done'] as const
export type TaskListId = (typeof TASK_LISTS)[number]

/** Which list the address asks for. */
export function listOf(query: LocationQuery): { list: TaskListId; queue: string | undefined } {
  const { list, queue } = query
  return {
    list: TASK_LISTS.find((id) => id === list) ?? 'open',
    queue: typeof queue === 'string' && queue !== '' ? queue : undefined,
  }
}
