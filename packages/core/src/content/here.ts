/** What a text is written for: language, zone and currency that values are shown in. */
export interface Here {
  locale: string
  timeZone: string
  /** ISO 4217; columns of money are in its minor units. */
  currency: string
  now: number
}

/** The language of `known` that comes closest to `wanted`: itself, the same language elsewhere, or the first. */
export function closestLocale(wanted: string, known: readonly string[]): string | undefined {
  const name = canonical(wanted)
  const exact = known.find((each) => canonical(each) === name)
  if (exact !== undefined) return exact
  const [language] = name.split('-')
  return known.find((each) => canonical(each).split('-')[0] === language)
}

/** The language that a customer reads, as far as anything is known of it. */
export function readerLocale(
  profile: Readonly<Record<string, unknown>> | undefined,
  otherwise: string,
): string {
  for (const column of ['t_locale', 't_language']) {
    const own = profile?.[column]
    if (typeof own !== 'string' || own === '') continue
    const name = SPOKEN[own.toLowerCase()] ?? own.replaceAll('_', '-')
    if (isLocale(name)) return name
  }
  return otherwise
}

/** How people write down a language. */
const SPOKEN: Record<string, string> = {
  chinese: 'zh-CN',
  中文: 'zh-CN',
  简体中文: 'zh-CN',
  zh: 'zh-CN',
  cn: 'zh-CN',
  english: 'en',
  英文: 'en',
  英语: 'en',
}

function canonical(name: string): string {
  return name.replaceAll('_', '-').toLowerCase()
}

function isLocale(name: string): boolean {
  try {
    return Intl.getCanonicalLocales(name).length === 1
  } catch {
    return false
  }
}
