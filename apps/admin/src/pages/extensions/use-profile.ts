import { profilePlugin, saveFile, toast, toastError, useLocalized } from '@huitou/admin-kit'
import type { Plugin } from '@huitou/admin-kit'
import { ref } from 'vue'
import { useI18n } from 'vue-i18n'

const LENGTH_MS = 5_000

/** Records what an extension's processor time goes to for five seconds and hands over the file. */
export function useProfile() {
  const { t } = useI18n()
  const localized = useLocalized()
  /** Id of the extension that is being recorded. */
  const recording = ref<string>()

  async function record(plugin: Plugin): Promise<void> {
    if (recording.value) return
    recording.value = plugin.id
    const name = localized(plugin.displayName)
    const close = toast({ kind: 'info', title: t('extensions.profile.under', { name }), timeout: 0 })
    try {
      const { file, name: fileName } = await profilePlugin(plugin.id, LENGTH_MS)
      saveFile(file, fileName)
      toast({ kind: 'success', title: t('extensions.profile.done'), detail: t('extensions.profile.how') })
    } catch (error) {
      toastError(error, t('extensions.profile.failed', { name }))
    } finally {
      close()
      recording.value = undefined
    }
  }

  return { record, recording }
}
