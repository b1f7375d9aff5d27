import type { OrderFormat } from './format.ts'

/** A list of purchases without order numbers: customer, day, number of items, amount. */
export const cdnow: OrderFormat = {
  id: 'cdnow',
  title: { en: 'CDNOW transactions', 'zh-CN': 'CDNOW 交易记录' },
  platform: 'cdnow',
  fingerprints: [['customer_id', 'date', 'number_of_cds', 'dollar_value']],
  fields: {
    customer_id: ['customer_id'],
    created_at: ['date'],
    quantity: ['number_of_cds'],
    total: ['dollar_value'],
  },
  amounts: 'line',
  currency: 'USD',
  timeZone: 'America/New_York',
}
