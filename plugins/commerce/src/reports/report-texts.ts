import type { Locale } from '../texts.ts'

const TEXTS = {
  revenue: { en: 'Revenue', 'zh-CN': '销售额' },
  refunded: { en: 'Refunded', 'zh-CN': '退款金额' },
  orders: { en: 'Orders', 'zh-CN': '订单数' },
  customers: { en: 'Buyers', 'zh-CN': '购买人数' },
  averageBasket: { en: 'Average order', 'zh-CN': '笔单价' },
  period: { en: 'Period', 'zh-CN': '周期' },
  once: { en: '1 order', 'zh-CN': '1 次' },
  times: { en: '{n} orders', 'zh-CN': '{n} 次' },
  orMore: { en: '{n} or more', 'zh-CN': '{n} 次及以上' },
  month: { en: 'Month {n}', 'zh-CN': '第 {n} 月' },
} as const

/** A text of a report's data, with `{n}` filled in. */
export function reportText(key: keyof typeof TEXTS, locale: Locale, n?: string | number): string {
  return TEXTS[key][locale].replace('{n}', String(n ?? ''))
}
