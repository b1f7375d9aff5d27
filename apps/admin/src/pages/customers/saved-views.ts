import { useStorage } from '@vueuse/core'

/** A list of customers as somebody left it, kept on this device. */
export interface SavedView {
  id: string
  name: string
  /** Query of the place: rule, segment, search. */
  query: Record<string, string>
  columns: string[]
  sort?: { column: string; dir: 'asc' | 'desc' } | undefined
}

const views = useStorage<SavedView[]>('huitou.customer-views', [])

export function useSavedViews() {
  return {
    views,
    save(view: Omit<SavedView, 'id'>): SavedView {
      const saved = { ...view, id: crypto.randomUUID() }
      views.value = [...views.value, saved]
      return saved
    },
    remove(id: string) {
      views.value = views.value.filter((view) => view.id !== id)
    },
  }
}
