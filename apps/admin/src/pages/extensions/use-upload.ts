import {
  ApiError,
  confirmed,
  queryKeys,
  toast,
  toastError,
  uploadPlugin,
  useLocalized,
} from '@huitou/admin-kit'
import type { Plugin } from '@huitou/admin-kit'
import { useQueryClient } from '@tanstack/vue-query'
import { ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'

/**
 * Tells that a version is here, and shows it, by `leave` if the page that it was found on has done its work; one beside
 * the version in force leads to the question about it.
 */
export function useArrived(leave?: (to: string) => Promise<void>) {
  const { t } = useI18n()
  const router = useRouter()
  const client = useQueryClient()
  const localized = useLocalized()

  return async (plugin: Plugin) => {
    await client.invalidateQueries({ queryKey: queryKeys.plugins })
    const name = localized(plugin.displayName)
    // Newest first: what just came.
    const version = plugin.versions[0]?.version ?? plugin.version
    const isBeside = version !== plugin.version
    toast({
      kind: 'success',
      title: t('extensions.install.here', { name, version }),
      detail: t(isBeside ? 'extensions.install.beside' : 'extensions.install.idle', {
        version: plugin.version,
      }),
    })
    const query = isBeside ? { tab: 'versions', to: version } : {}
    const to = router.resolve({ path: `/extensions/${plugin.id}`, query }).fullPath
    await (leave ? leave(to) : router.push(to))
  }
}

/** Installs a packed extension of this computer. */
export function useUpload() {
  const { t } = useI18n()
  const arrived = useArrived()
  const busy = ref(false)

  async function take(file: File | null | undefined, acceptNewKey = false): Promise<void> {
    if (!file || busy.value) return
    busy.value = true
    try {
      await arrived(await uploadPlugin(file, { acceptNewKey }))
    } catch (error) {
      busy.value = false
      if (!(await isTakenAnyway(error)))
        toastError(error, t('extensions.install.failed', { name: file.name }))
      else await take(file, true)
    } finally {
      busy.value = false
    }
  }

  /** Another key than before may be an attack, or a publisher who lost theirs: only the owner can tell. */
  async function isTakenAnyway(error: unknown): Promise<boolean> {
    if (!(error instanceof ApiError) || error.code !== 'E_KEY_CHANGED') return false
    return await confirmed({
      title: t('extensions.install.otherKey'),
      text: t('extensions.install.otherKeyText'),
      confirm: t('extensions.install.acceptKey'),
      danger: true,
    })
  }

  return { take, busy }
}
