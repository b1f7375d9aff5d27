import { useSettings } from '@huitou/admin-kit'
import { useTitle } from '@vueuse/core'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { titleOf, useTabs } from './use-tabs.ts'

/** Window title: the page in front, then the brand. */
export function useDocumentTitle(): void {
  const { t } = useI18n()
  const store = useTabs()
  const settings = useSettings()
  useTitle(
    computed(() => {
      const tab = store.active
      const page = tab ? titleOf(tab) : ''
      return [page, settings.data.value?.brandName || t('shell.brand')].filter(Boolean).join(' - ')
    }),
  )
}
