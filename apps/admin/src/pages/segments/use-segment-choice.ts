import { useFormat } from '@huitou/admin-kit'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import { segmentGroups } from './segment-groups.ts'
import { useSegments } from './use-segments.ts'

/** Entries of a menu that narrows a page down to one segment; the first, without a value, stands for `everyone`. */
export function useSegmentChoice(chosen: MaybeRefOrGetter<string | undefined>, everyone: () => string) {
  const { t } = useI18n()
  const format = useFormat()
  const { segments } = useSegments()

  const items = computed(() => [
    { value: '', title: everyone() },
    ...segmentGroups(segments.value, t).flatMap((group) =>
      group.segments.map((segment) => ({
        value: segment.id,
        title: segment.name,
        group: group.title,
        note: format.number(segment.count),
      })),
    ),
  ])
  /** Name of the segment in force; its id while it is not known by name. */
  const name = computed(() => {
    const id = toValue(chosen)
    return items.value.find((item) => item.value === (id ?? ''))?.title ?? id
  })
  return { items, name }
}
