import type { OrderFormat } from './format.ts'

/** JD order list of marketplace sellers, one row a SKU; money of the order repeats on each row. */
export const jdOrders: OrderFormat = {
  id: 'jd-orders',
  title: { en: 'JD orders', 'zh-CN': '京东订单' },
  platform: 'jd',
  fingerprints: [
    ['订单号', '京东价'],
    ['订单号', '下单帐号'],
    ['订单号', '下单账号', '商品名称'],
  ],
  fields: {
    order_id: ['订单号'],
    buyer_id: ['下单帐号', '下单账号'],
    status: ['订单状态'],
    created_at: ['下单时间'],
    paid_at: ['付款确认时间'],
    completed_at: ['订单完成时间'],
    total: ['结算金额', '应付金额'],
    payable: ['订单金额'],
    shipping: ['运费金额'],
    payment_method: ['支付方式'],
    receiver_phone: ['联系电话'],
    name: ['客户姓名'],
    address: ['客户地址'],
    product_id: ['商品ID'],
    sku: ['商家SKUID', '货号'],
    product_name: ['商品名称'],
    quantity: ['订购数量'],
    unit_price: ['京东价'],
    channel: ['订单渠道', '订单来源'],
  },
  amounts: 'order',
  currency: 'CNY',
  timeZone: 'Asia/Shanghai',
  closedMeansRefunded: true,
}
