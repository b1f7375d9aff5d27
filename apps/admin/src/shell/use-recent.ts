import { createSharedComposable, useStorage } from '@vueuse/core'
import { watch } from 'vue'
import { useTabs } from './use-tabs.ts'
import type { Tab } from './use-tabs.ts'

type Place = Pick<Tab, 'id' | 'path' | 'title' | 'titleKey' | 'icon'>

/** Places opened lately on this device, latest first. */
export const useRecent = createSharedComposable(() => {
  const store = useTabs()
  const recent = useStorage<Place[]>('huitou.recent', [])
  watch(
    () => [store.active?.id, store.active?.title] as const,
    () => {
      const tab = store.active
      if (!tab || tab.path === '/') return
      const { id, path, title, titleKey, icon } = tab
      const place: Place =
        title === undefined ? { id, path, titleKey, icon } : { id, path, title, titleKey, icon }
      recent.value = [place, ...recent.value.filter((known) => known.id !== id)].slice(0, 20)
    },
    { immediate: true },
  )
  return { recent }
})
