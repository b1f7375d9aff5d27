import { useI18n } from 'vue-i18n'
import type { Localized } from '../api/localized.ts'

/** A text of the server in one or both languages, or none. */
export type MaybeLocalized = Localized | Partial<Localized> | string | null | undefined

/** Picks the reader's language out of a text; a plain string stays what it is. */
export function pickLanguage(text: MaybeLocalized, locale: string): string {
  if (text == null) return ''
  if (typeof text === 'string') return text
  const own = locale.startsWith('zh') ? text['zh-CN'] : text.en
  return own ?? text.en ?? text['zh-CN'] ?? ''
}

/** Returns a function that picks the reader's language; what renders with it follows the language switch. */
export function useLocalized(): (text: MaybeLocalized) => string {
  const { locale } = useI18n()
  return (text) => pickLanguage(text, locale.value)
}
