import type { RouteLocationNormalizedLoaded } from 'vue-router'
import type { ViewsItem } from './use-plugin-views.ts'

/** The button of the activity bar that a place belongs to: the view's own, or the first that shows the record's collection. */
export function shownItem(
  items: readonly ViewsItem[],
  { path, params }: Pick<RouteLocationNormalizedLoaded, 'path' | 'params'>,
): ViewsItem | undefined {
  const { plugin, view, collection } = params as Record<string, string | undefined>
  if (path.startsWith('/views/'))
    return items.find(({ views }) => views.some(({ id }) => id === `${plugin}/${view}`))
  if (!path.startsWith('/records/')) return undefined
  return items.find(({ views }) => views.some((each) => each.collection === `${plugin}/${collection}`))
}
