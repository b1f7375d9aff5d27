import { cdnow } from './cdnow.ts'
import { douyinOrders } from './douyin-orders.ts'
import type { OrderFormat } from './format.ts'
import { generic } from './generic.ts'
import { invoiceLines } from './invoice-lines.ts'
import { jdOrders } from './jd-orders.ts'
import { olistOrders } from './olist-orders.ts'
import { shopifyOrders } from './shopify-orders.ts'
import { tmallItems } from './tmall-items.ts'
import { tmallOrders } from './tmall-orders.ts'
import { tmallReport } from './tmall-report.ts'
import { youzanItems } from './youzan-items.ts'
import { youzanOrders } from './youzan-orders.ts'

/** Formats with a fingerprint. Between two that fit equally well the earlier one wins. */
export const knownFormats: readonly OrderFormat[] = [
  tmallOrders,
  tmallItems,
  tmallReport,
  jdOrders,
  douyinOrders,
  youzanItems,
  youzanOrders,
  shopifyOrders,
  invoiceLines,
  olistOrders,
  cdnow,
]

/** The format with this id; `generic` for any other, so that an old mapping still converts. */
export function formatOf(id: string): OrderFormat {
  return knownFormats.find((format) => format.id === id) ?? generic
}
