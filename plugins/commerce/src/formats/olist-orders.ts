import type { OrderFormat } from './format.ts'

/** Orders of the Olist marketplace, alone or joined with items and payments. */
export const olistOrders: OrderFormat = {
  id: 'olist-orders',
  title: { en: 'Olist orders', 'zh-CN': 'Olist 订单' },
  platform: 'olist',
  fingerprints: [
    ['order_id', 'customer_id', 'order_purchase_timestamp'],
    ['order_id', 'customer_unique_id', 'order_purchase_timestamp'],
  ],
  fields: {
    order_id: ['order_id'],
    line_id: ['order_item_id'],
    customer_id: ['customer_unique_id', 'customer_id'],
    status: ['order_status'],
    created_at: ['order_purchase_timestamp'],
    paid_at: ['order_approved_at'],
    shipped_at: ['order_delivered_carrier_date'],
    delivered_at: ['order_delivered_customer_date'],
    total: ['payment_value'],
    shipping: ['freight_value'],
    payment_method: ['payment_type'],
    city: ['customer_city'],
    province: ['customer_state'],
    product_id: ['product_id'],
    category: ['product_category_name_english', 'product_category_name'],
    unit_price: ['price'],
  },
  amounts: 'auto',
  currency: 'BRL',
  timeZone: 'America/Sao_Paulo',
}
