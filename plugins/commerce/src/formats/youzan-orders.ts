import type { OrderFormat } from './format.ts'

/** Youzan order export, one row an order. The nickname is no identifier: two customers may share it. */
export const youzanOrders: OrderFormat = {
  id: 'youzan-orders',
  title: { en: 'Youzan orders', 'zh-CN': '有赞订单' },
  platform: 'youzan',
  fingerprints: [
    ['订单号', '全部商品名称', '收货人/提货人'],
    ['订单号', '全部商品名称', '订单实付金额'],
  ],
  fields: {
    order_id: ['订单号'],
    status: ['订单状态'],
    refund_status: ['订单退款状态'],
    created_at: ['订单创建时间'],
    paid_at: ['买家付款时间'],
    completed_at: ['交易成功时间'],
    total: ['订单实付金额', '订单实收金额'],
    payable: ['应收订单金额'],
    shipping: ['运费'],
    discount: ['店铺优惠合计'],
    refund_amount: ['订单已退款金额'],
    payment_method: ['付款方式'],
    phone: ['买家手机号'],
    receiver_phone: ['收货人手机号/提货人手机号'],
    name: ['收货人/提货人'],
    province: ['收货人省份'],
    city: ['收货人城市'],
    product_list: ['全部商品名称'],
    shop: ['归属店铺'],
    channel: ['销售渠道'],
  },
  amounts: 'order',
  currency: 'CNY',
  timeZone: 'Asia/Shanghai',
}
