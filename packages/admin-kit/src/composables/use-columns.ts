import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { getColumns } from '../api/columns.ts'
import type { Column, ColumnOption, EventKind } from '../api/columns.ts'
import { readableName } from '../format/readable-name.ts'
import { queryKeys } from './query-keys.ts'

/** Every profile column and event kind there is, with look-ups by name. */
export function useColumns() {
  const { t, te } = useI18n()
  const query = useQuery({
    queryKey: queryKeys.columns,
    queryFn: ({ signal }) => getColumns(signal),
    staleTime: 5 * 60_000,
  })
  const byName = computed(
    () => new Map((query.data.value?.columns ?? []).map((column) => [column.name, column])),
  )
  const eventKinds = computed(() =>
    (query.data.value?.events ?? []).map((event) => ({ ...event, title: titleOf(event) })),
  )
  const events = computed(() => new Map(eventKinds.value.map((event) => [event.name, event])))

  /** Events of the core have their words here; one that no extension describes reads as well as its name allows. */
  function titleOf({ name, title }: EventKind): EventKind['title'] {
    if (title.en !== name) return title
    const key = `kit.events.${name.replaceAll('.', '_')}`
    const words = te(key) ? t(key) : readableName(name)
    return { en: words, 'zh-CN': words }
  }

  return {
    ...query,
    columns: computed<Column[]>(() => query.data.value?.columns ?? []),
    eventKinds,
    findColumn: (name: string): Column | undefined => byName.value.get(name),
    findEvent: (name: string): EventKind | undefined => events.value.get(name),
    /** What people call a property of an event; where it is not known which, as any that has it calls it. */
    propertyTitle: (event: string | undefined, property: string) =>
      (event === undefined ? eventKinds.value : [events.value.get(event)])
        .flatMap((kind) => kind?.properties ?? [])
        .find(({ name }) => name === property)?.title ?? readableName(property),
    /** What people call the plugin that fills a column. */
    ownerTitle: (owner: string) => query.data.value?.owners[owner] ?? owner,
    findOption: (column: string, value: unknown): ColumnOption | undefined =>
      byName.value.get(column)?.options?.find((option) => option.value === String(value)),
  }
}
