import type { OrderFormat } from './format.ts'

/**
 * Tmall's short order report: seven columns and no buyer. Its paid amount has refunds taken off, so that paid and refunded
 * add up to the order's total.
 */
export const tmallReport: OrderFormat = {
  id: 'tmall-report',
  title: { en: 'Tmall short order report', 'zh-CN': '天猫订单简表' },
  platform: 'tmall',
  fingerprints: [['订单编号', '总金额', '买家实际支付金额', '订单创建时间', '退款金额']],
  fields: {
    order_id: ['订单编号'],
    created_at: ['订单创建时间'],
    paid_at: ['订单付款时间'],
    total: ['买家实际支付金额'],
    payable: ['总金额'],
    refund_amount: ['退款金额'],
    address: ['收货地址'],
  },
  amounts: 'order',
  currency: 'CNY',
  timeZone: 'Asia/Shanghai',
  paidIsNet: true,
  withoutCustomer: 'anonymous',
}
