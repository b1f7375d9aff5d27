import { useI18n } from 'vue-i18n'
import type { ValueType } from '../api/localized.ts'
import { formatMoney } from '../format/money.ts'
import type { MoneyStyle } from '../format/money.ts'
import { formatBytes, formatNumber, formatPercent, nothing } from '../format/number.ts'
import type { NumberStyle } from '../format/number.ts'
import * as time from '../format/time.ts'
import { useSettings } from './use-account.ts'

type Value = number | null | undefined

/** Formatters in the reader's language and the brand's currency and time zone. What renders with them follows both. */
export function useFormat() {
  const { locale, t } = useI18n()
  const settings = useSettings()
  const currency = () => settings.data.value?.currency ?? 'CNY'
  const zone = () => ({ locale: locale.value, timeZone: settings.data.value?.timeZone ?? 'Asia/Shanghai' })

  const number = (value: Value, style: Omit<NumberStyle, 'locale'> = {}) =>
    formatNumber(value, { ...style, locale: locale.value })
  const percent = (share: Value, style: Omit<NumberStyle, 'locale'> = {}) =>
    formatPercent(share, { ...style, locale: locale.value })
  const money = (minor: Value, style: Omit<MoneyStyle, 'locale' | 'currency'> & { currency?: string } = {}) =>
    formatMoney(minor, { currency: currency(), ...style, locale: locale.value })
  const duration = (ms: Value) => time.formatDuration(ms, locale.value)
  const date = (ms: Value) => time.formatDate(ms, zone())

  /** A value of a column or report by its type. */
  function value(raw: unknown, type: ValueType, style: { compact?: boolean } = {}): string {
    if (raw == null || raw === '') return nothing
    if (type === 'boolean') return raw ? t('kit.yes') : t('kit.no')
    if (typeof raw !== 'number') return String(raw)
    if (type === 'money') return money(raw, style)
    if (type === 'percent') return percent(raw)
    if (type === 'time') return date(raw)
    if (type === 'duration') return duration(raw)
    if (type === 'number') return number(raw, { decimals: 2, ...style })
    return type === 'integer' ? number(raw, style) : String(raw)
  }

  return {
    number,
    percent,
    money,
    duration,
    date,
    value,
    bytes: (value: Value) => formatBytes(value, locale.value),
    day: (ms: Value) => time.formatDay(ms, zone()),
    dateTime: (ms: Value) => time.formatDateTime(ms, zone()),
    clock: (ms: Value) => time.formatClock(ms, zone()),
    exact: (ms: Value) => time.formatExact(ms, zone()),
    ago: (ms: Value) => time.formatAgo(ms, zone()),
  }
}
