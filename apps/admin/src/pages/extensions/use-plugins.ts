import {
  disablePlugin,
  enablePlugin,
  listPlugins,
  queryKeys,
  toast,
  toastError,
  useLocalized,
} from '@huitou/admin-kit'
import type { Plugin } from '@huitou/admin-kit'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { ref } from 'vue'
import { useI18n } from 'vue-i18n'

/** Installed extensions. */
export function usePlugins() {
  return useQuery({
    queryKey: queryKeys.plugins,
    queryFn: ({ signal }) => listPlugins(signal),
    staleTime: 5_000,
  })
}

export function isOn(plugin: Plugin): boolean {
  return plugin.state !== 'disabled'
}

/** Switches an extension on or off; what it did can be undone from the toast. */
export function useSwitch() {
  const { t } = useI18n()
  const localized = useLocalized()
  const client = useQueryClient()
  const busy = ref(false)

  async function setOn(plugin: Plugin, on: boolean): Promise<void> {
    const name = localized(plugin.displayName)
    busy.value = true
    try {
      await (on ? enablePlugin(plugin.id) : disablePlugin(plugin.id))
      toast({
        kind: 'success',
        title: t(on ? 'extensions.enabledToast' : 'extensions.disabledToast', { name }),
        ...(on ? {} : { detail: t('extensions.disabledKept') }),
        action: { label: t('extensions.undo'), run: () => setOn(plugin, !on) },
      })
    } catch (error) {
      toastError(error, t(on ? 'extensions.enableFailed' : 'extensions.disableFailed', { name }))
    } finally {
      busy.value = false
      await client.invalidateQueries({ queryKey: queryKeys.plugins })
    }
  }

  return { setOn, busy }
}
