/** What a column of an order file can mean. The manifest lists the same ids with their titles. */
export const FIELD_IDS = [
  'order_id', 'order_number', 'line_id', 'status', 'delivery_status', 'refund_status', 'close_reason',
  'created_at', 'paid_at', 'shipped_at', 'delivered_at', 'signed_at', 'completed_at', 'closed_at', 'refunded_at',
  'customer_id', 'buyer_id', 'phone', 'receiver_phone', 'email', 'name', 'first_name', 'last_name',
  'province', 'city', 'country', 'address',
  'total', 'payable', 'shipping', 'discount', 'refund_amount', 'currency', 'payment_method', 'coupon_code',
  'product_id', 'sku', 'product_name', 'product_list', 'category', 'quantity', 'unit_price', 'line_total',
  'shop', 'channel', 'logistics_company', 'tracking_number',
] as const

export type FieldId = (typeof FIELD_IDS)[number]

/** Fields by what their cells look like; ids and texts are whatever is left. */
export const TIME_FIELDS: readonly FieldId[] = [
  'created_at', 'paid_at', 'shipped_at', 'delivered_at', 'signed_at', 'completed_at', 'closed_at', 'refunded_at',
]
export const MONEY_FIELDS: readonly FieldId[] = [
  'total', 'payable', 'shipping', 'discount', 'refund_amount', 'unit_price', 'line_total',
]
/** Fields that can say who the customer is. */
export const CUSTOMER_FIELDS: readonly FieldId[] = ['customer_id', 'buyer_id', 'phone', 'receiver_phone', 'email', 'address']
