import type { OrderFormat } from './format.ts'
import { youzanOrders } from './youzan-orders.ts'

const { product_list: _, ...orderFields } = youzanOrders.fields

/** Youzan item export: the order's columns repeat on each row, beside those of one item. */
export const youzanItems: OrderFormat = {
  ...youzanOrders,
  id: 'youzan-items',
  title: { en: 'Youzan order items', 'zh-CN': '有赞订单商品明细' },
  fingerprints: [
    ['订单号', '商品名称', '商品单价', '商品数量', '商品退款状态'],
    ['订单号', '商品名称', '商品已退款金额'],
  ],
  fields: {
    ...orderFields,
    product_name: ['商品名称'],
    category: ['商品类型'],
    sku: ['商品编码', '商品规格'],
    unit_price: ['商品单价'],
    quantity: ['商品数量'],
    logistics_company: ['商品发货物流公司'],
    tracking_number: ['商品发货物流单号'],
  },
}
