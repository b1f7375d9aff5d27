/** What a language calls itself. */
export function languageName(locale: string): string {
  if (locale === 'zh-CN') return '中文'
  return new Intl.DisplayNames(locale, { type: 'language' }).of(locale) ?? locale
}
