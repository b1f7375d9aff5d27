import {
  ApiError,
  disablePlugin,
  enablePlugin,
  listPlugins,
  queryKeys,
  toast,
  toastError,
  useLocalized,
  useMay,
} from '@huitou/admin-kit'
import type { Plugin } from '@huitou/admin-kit'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'

/** Installed extensions. */
export function usePlugins(options: { refetchInterval?: number } = {}) {
  return useQuery({
    queryKey: queryKeys.plugins,
    queryFn: ({ signal }) => listPlugins(signal),
    staleTime: 5_000,
    ...options,
  })
}

export function isOn(plugin: Pick<Plugin, 'state'>): boolean {
  return plugin.state !== 'disabled'
}

export function isBroken(plugin: Pick<Plugin, 'state'>): boolean {
  return plugin.state === 'failed' || plugin.state === 'quarantined'
}

/**
 * Whether the reader may decide about rights, code and publishers, and whether they may bring extensions in, turn them on
 * and off with the rights they have, and look inside.
 */
export function useMayChange() {
  const may = useMay()
  return {
    mayChange: computed(() => may('plugins.trust')),
    mayManage: computed(() => may('plugins.manage')),
  }
}

/** Whether enabling asks nothing: it was decided about, and what it needs runs. */
function isSettled({ decided, companions }: Plugin): boolean {
  return decided && companions.every(({ relation, state }) => relation === 'brings' || state === 'on')
}

const UNDECIDED = new Set(['E_CONSENT', 'E_UNSIGNED', 'E_UNKNOWN_PUBLISHER'])

/** Whether something was refused because the owner has not decided about it yet. */
function isUndecided(error: unknown): boolean {
  return error instanceof ApiError && UNDECIDED.has(error.code)
}

/**
 * Switches an extension on or off; what it did can be undone from the toast. When the owner has to decide first,
 * `undecided` holds the extension: show the consent dialog for it.
 */
export function useSwitch() {
  const { t } = useI18n()
  const localized = useLocalized()
  const client = useQueryClient()
  const busy = ref(false)
  const undecided = shallowRef<Plugin>()
  const may = useMay()

  /** Who may not decide asks somebody who may. */
  function askToDecide(plugin: Plugin, name: string) {
    if (may('plugins.trust')) undecided.value = plugin
    else
      toast({
        kind: 'warning',
        title: t('extensions.enableFailed', { name }),
        detail: t('extensions.ownerFirst'),
      })
  }

  async function setOn(plugin: Plugin, on: boolean): Promise<void> {
    const name = localized(plugin.displayName)
    // The one at hand may be older than the decision about it.
    const now = client.getQueryData<{ plugins: Plugin[] }>(queryKeys.plugins)?.plugins
    if (on && !isSettled(now?.find(({ id }) => id === plugin.id) ?? plugin)) {
      askToDecide(plugin, name)
      return
    }
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
      if (on && isUndecided(error)) askToDecide(plugin, name)
      else toastError(error, t(on ? 'extensions.enableFailed' : 'extensions.disableFailed', { name }))
    } finally {
      busy.value = false
      await client.invalidateQueries({ queryKey: queryKeys.plugins })
    }
  }

  return { setOn, busy, undecided }
}
