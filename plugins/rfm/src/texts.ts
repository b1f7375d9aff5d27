import en from '../package.nls.json' with { type: 'json' }
import zh from '../package.nls.zh-CN.json' with { type: 'json' }

export type TextKey = keyof typeof en

/** Texts, numbers and dates in one language. */
export interface Texts {
  /** The text `key` with each `{name}` replaced. */
  text(key: TextKey, values?: Record<string, string | number>): string
  number(value: number): string
  /** An amount in minor units, without the minor part. */
  money(minor: number): string
  date(date: Temporal.PlainDate): string
}

/** Texts for `locale`: Chinese for any kind of Chinese, English for everybody else. */
export function createTexts(locale: string, currency: string, minorPerMajor: number): Texts {
  const dictionary: Record<TextKey, string> = /^zh\b/i.test(locale) ? zh : en
  const numbers = new Intl.NumberFormat(locale)
  const money = new Intl.NumberFormat(locale, { style: 'currency', currency, maximumFractionDigits: 0 })
  return {
    text: (key, values = {}) =>
      dictionary[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? '')),
    number: (value) => numbers.format(value),
    money: (minor) => money.format(minor / minorPerMajor),
    date: (date) => date.toLocaleString(locale, { dateStyle: 'medium' }),
  }
}
