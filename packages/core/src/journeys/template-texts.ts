import type { Text } from '../points/points.ts'

/** Under this key content has what differs in other languages. */
export const LOCALES_KEY = '$locales'

/** A text in the languages of the product. */
export function isText(value: unknown): value is Text {
  if (typeof value !== 'object' || value === null) return false
  const keys = Object.keys(value)
  return keys.length === 2 && keys.includes('en') && keys.includes('zh-CN')
}

/** `value` with every text in one language only. */
export function inLocale(value: unknown, locale: keyof Text): unknown {
  if (isText(value)) return value[locale]
  if (Array.isArray(value)) return value.map((each) => inLocale(each, locale))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inLocale(inner, locale)]))
}

/** A message's content in the brand's language, with what differs in the other one beside it. */
export function localizedContent(
  content: Readonly<Record<string, unknown>>,
  locale: keyof Text,
): Record<string, unknown> {
  const base = inLocale(content, locale) as Record<string, unknown>
  const other = locale === 'en' ? 'zh-CN' : 'en'
  const differing = Object.entries(inLocale(content, other) as Record<string, unknown>).filter(
    ([field, value]) => JSON.stringify(value) !== JSON.stringify(base[field]),
  )
  return differing.length === 0
    ? base
    : { ...base, [LOCALES_KEY]: { [other]: Object.fromEntries(differing) } }
}

/** Content as someone reads it who speaks `locale`; the first language where there is nothing closer. */
export function contentIn(content: Record<string, unknown>, locale: string): Record<string, unknown> {
  const { [LOCALES_KEY]: locales, ...base } = content
  if (typeof locales !== 'object' || locales === null) return base
  const language = locale.split(/[-_]/)[0]
  const found = Object.entries(locales).find(
    ([each]) => each === locale || each.split('-')[0]?.toLowerCase() === language?.toLowerCase(),
  )
  return found ? { ...base, ...(found[1] as Record<string, unknown>) } : base
}
