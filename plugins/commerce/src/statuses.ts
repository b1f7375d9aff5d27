import { cleanToken } from './cells.ts'

/** How far an order has come. */
export type Stage =
  | 'unpaid'
  | 'payment_failed'
  | 'paid'
  | 'shipped'
  | 'in_transit'
  | 'delivered'
  | 'signed'
  | 'completed'
  | 'closed'
  | 'refunded'

/** Position in the life of an order; a later stage replaces what an earlier one said. */
export const STAGE_RANK: Record<Stage, number> = {
  unpaid: 0,
  payment_failed: 1,
  paid: 2,
  shipped: 3,
  in_transit: 4,
  delivered: 5,
  signed: 6,
  completed: 7,
  closed: 8,
  refunded: 9,
}

const WORDS: Record<Stage, string[]> = {
  unpaid: [
    '等待买家付款',
    '待付款',
    '待支付',
    '未付款',
    '未支付',
    '等待付款',
    '待确认',
    'unpaid',
    'pending',
    'pendingpayment',
    'awaitingpayment',
    'created',
    'onhold',
    'checkoutdraft',
    'draft',
    'expired',
  ],
  payment_failed: ['支付失败', '付款失败', 'failed', 'paymentfailed', 'declined', 'paymenterror'],
  paid: [
    '买家已付款,等待卖家发货',
    '买家已付款',
    '等待卖家发货',
    '待发货',
    '已付款',
    '已支付',
    '等待出库',
    '备货中',
    '待成团',
    '部分发货',
    '卖家部分发货',
    'paid',
    'authorized',
    'partiallypaid',
    'partiallyrefunded',
    'processing',
    'approved',
    'invoiced',
    'unfulfilled',
    'awaitingshipment',
    'confirmed',
    'awaitingfulfillment',
    'readytoship',
    'open',
  ],
  shipped: [
    '卖家已发货,等待买家确认',
    '卖家已发货',
    '已发货',
    '待收货',
    '等待确认收货',
    '等待买家确认',
    '等待买家确认收货',
    '已出库',
    'shipped',
    'fulfilled',
    'partiallyshipped',
    'dispatched',
    'partial',
  ],
  in_transit: ['运输中', '派送中', '配送中', 'intransit', 'outfordelivery'],
  delivered: ['已送达', '已妥投', '妥投', 'delivered'],
  signed: ['已签收', '签收', '已收货', '确认收货', 'signed', 'received'],
  completed: [
    '交易成功',
    '交易完成',
    '已完成',
    '完成',
    '订单完成',
    '已结算',
    'completed',
    'complete',
    'done',
    'finished',
    'success',
  ],
  closed: [
    '交易关闭',
    '已关闭',
    '已取消',
    '取消',
    '关闭',
    '订单取消',
    '订单关闭',
    'closed',
    'cancelled',
    'canceled',
    'voided',
    'void',
    'unavailable',
    'trash',
    'abandoned',
  ],
  refunded: [
    '已退款',
    '退款成功',
    '全额退款',
    '退款完成',
    '售后成功',
    'refunded',
    'fullyrefunded',
    'returned',
  ],
}

const BY_WORD = new Map<string, Stage>()
for (const [stage, words] of Object.entries(WORDS))
  for (const word of words) BY_WORD.set(word, stage as Stage)

/** Words that say "no refund was asked for", so that they are not taken for an unknown state. */
const NO_REFUND = new Set([
  '',
  '没有申请退款',
  '无退款',
  '未退款',
  '无',
  '无售后',
  'none',
  'no',
  '0',
  'false',
])

/**
 * The stage that a platform's status word names; undefined when the word is unknown. `(锁定)` before a JD status changes nothing,
 * `(删除)` means that the order was cancelled.
 */
export function findStage(cell: string | undefined): Stage | undefined {
  let word = statusKey(cell)
  if (word.startsWith('(删除)')) return 'closed'
  word = word.replace(/^\([^)]*\)/, '')
  return BY_WORD.get(word) ?? BY_WORD.get(word.replace(/^wc/, ''))
}

/** `full` when money went back, `open` while a request is under way, `none` otherwise. */
export function refundState(cell: string | undefined): 'none' | 'open' | 'full' {
  const word = statusKey(cell)
  if (NO_REFUND.has(word) || /关闭|撤销|拒绝|取消|closed|rejected/.test(word)) return 'none'
  return /成功|已退|完成|全额|^refunded$|success/.test(word) && !/部分/.test(word) ? 'full' : 'open'
}

function statusKey(cell: string | undefined): string {
  return cleanToken(cell)
    .toLowerCase()
    .replace(/[\s_-]+/g, '')
}
