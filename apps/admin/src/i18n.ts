import { useStorage } from '@vueuse/core'
import { createI18n } from 'vue-i18n'

export const locales = ['zh-CN', 'en'] as const
export type AppLocale = (typeof locales)[number]

const stored = useStorage<string>('huitou.locale', '')

/** The language chosen on this device, or else the browser's, or else Chinese. */
export function firstLocale(): AppLocale {
  const wanted = stored.value || navigator.language
  return wanted.toLowerCase().startsWith('en') ? 'en' : 'zh-CN'
}

export const i18n = createI18n({
  legacy: false,
  locale: firstLocale(),
  fallbackLocale: false,
  messages: {} as Record<string, Record<string, never>>,
  missingWarn: import.meta.env.DEV,
})

const loaders: Record<AppLocale, () => Promise<{ messages: Record<string, unknown> }>> = {
  'zh-CN': () => import('./locales/zh-cn.ts'),
  en: () => import('./locales/en.ts'),
}

/** Loads a language and switches everything to it. */
export async function setLocale(locale: AppLocale, remember = true): Promise<void> {
  const { messages } = await loaders[locale]()
  i18n.global.setLocaleMessage(locale, messages as Record<string, never>)
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
  if (remember) stored.value = locale
}

/** Whether somebody chose a language on this device. */
export function hasChosenLocale(): boolean {
  return stored.value !== ''
}
