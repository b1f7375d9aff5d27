import { askReason } from '@huitou/admin-kit'
import { useI18n } from 'vue-i18n'

/** Asks what a file is for, before it leaves. Resolves with nothing when somebody would rather not say. */
export function useExportReason(): (what: string) => Promise<string | undefined> {
  const { t } = useI18n()
  return async (what) =>
    await askReason({
      title: t('privacy.ask.title', { what }),
      text: t('privacy.ask.text'),
      confirm: t('privacy.ask.confirm'),
      reason: { label: t('privacy.ask.reason'), example: t('privacy.ask.example') },
    })
}
