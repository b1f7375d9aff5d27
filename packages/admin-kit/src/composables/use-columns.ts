import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { getColumns } from '../api/columns.ts'
import type { Column, ColumnOption, EventKind } from '../api/columns.ts'
import { queryKeys } from './query-keys.ts'

/** Every profile column and event kind there is, with look-ups by name. */
export function useColumns() {
  const query = useQuery({
    queryKey: queryKeys.columns,
    queryFn: ({ signal }) => getColumns(signal),
    staleTime: 5 * 60_000,
  })
  const byName = computed(() => new Map((query.data.value?.columns ?? []).map((column) => [column.name, column])))
  const events = computed(() => new Map((query.data.value?.events ?? []).map((event) => [event.name, event])))

  return {
    ...query,
    columns: computed<Column[]>(() => query.data.value?.columns ?? []),
    eventKinds: computed<EventKind[]>(() => query.data.value?.events ?? []),
    findColumn: (name: string): Column | undefined => byName.value.get(name),
    findEvent: (name: string): EventKind | undefined => events.value.get(name),
    findOption: (column: string, value: unknown): ColumnOption | undefined =>
      byName.value.get(column)?.options?.find((option) => option.value === String(value)),
  }
}
