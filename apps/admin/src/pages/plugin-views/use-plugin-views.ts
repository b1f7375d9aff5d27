import { listCollections, listViews, queryKeys, useLocalized, useMe } from '@huitou/admin-kit'
import type { Collection, PluginView } from '@huitou/admin-kit'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { holds } from './when.ts'
import type { WhenScope } from '@huitou/plugin-api'

/** A button of the activity bar that plugins brought, and the views behind it. */
export interface ViewsItem {
  /** Id of the container, or of the one view. */
  id: string
  title: string
  icon: string
  path: string
  views: PluginView[]
}

/** Address of a view's page. */
export function viewPath({ id }: Pick<PluginView, 'id'>): string {
  return `/views/${id.split('/').map(encodeURIComponent).join('/')}`
}

/** Address of a record's page; `new` for one to be made. */
export function recordPath(collection: string, record: string): string {
  return `/records/${[...collection.split('/'), record].map(encodeURIComponent).join('/')}`
}

/** What plugins show to this reader, by place. */
export function usePluginViews() {
  const { locale } = useI18n()
  const localized = useLocalized()
  const me = useMe()
  const query = useQuery({
    queryKey: queryKeys.views,
    queryFn: ({ signal }) => listViews(signal),
    staleTime: 60_000,
  })
  const context = computed<WhenScope>(() => ({ role: me.data.value?.role, locale: locale.value }))
  const views = computed(() =>
    (query.data.value?.views ?? []).filter(({ when }) => holds(when, context.value)),
  )
  const items = computed<ViewsItem[]>(() => {
    const containers = (query.data.value?.containers ?? [])
      .filter(({ when }) => holds(when, context.value))
      .map(({ id, title, icon }) => ({
        id,
        title: localized(title),
        icon,
        views: views.value.filter(({ place }) => place === id),
      }))
    const single = views.value
      .filter(({ place }) => place === 'activityBar')
      .map((view) => ({
        id: view.id,
        title: localized(view.title),
        icon: view.icon ?? 'puzzle',
        views: [view],
      }))
    return [...containers, ...single].flatMap((item) =>
      item.views[0] ? [{ ...item, path: viewPath(item.views[0]) }] : [],
    )
  })

  /** Views that stand on another page: `customerPage`, `dashboard`. */
  function viewsAt(place: string, more: WhenScope = {}): PluginView[] {
    return views.value.filter(
      (view) => view.place === place && holds(view.when, { ...context.value, ...more }),
    )
  }

  return {
    query,
    views,
    items,
    menus: computed(() => query.data.value?.menus ?? []),
    keybindings: computed(() => query.data.value?.keybindings ?? []),
    context,
    viewsAt,
    findView: (id: string) => views.value.find((view) => view.id === id),
  }
}

/** Collections that this reader may see, by full id. */
export function useCollections() {
  const query = useQuery({
    queryKey: queryKeys.collections,
    queryFn: ({ signal }) => listCollections(signal),
    staleTime: 60_000,
  })
  const byId = computed(() => new Map((query.data.value?.collections ?? []).map((each) => [each.id, each])))
  return {
    query,
    byId,
    find: (id: string | null | undefined): Collection | undefined => byId.value.get(id ?? ''),
  }
}
