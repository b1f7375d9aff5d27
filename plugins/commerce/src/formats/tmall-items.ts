import type { OrderFormat } from './format.ts'

/** Taobao and Tmall item report (ExportItemList, 销售明细), one row a sub-order. */
export const tmallItems: OrderFormat = {
  id: 'tmall-items',
  title: { en: 'Taobao / Tmall items', 'zh-CN': '淘宝 / 天猫宝贝报表（子订单）' },
  platform: 'tmall',
  fingerprints: [
    ['子订单编号', '主订单编号', '商品属性'],
    ['子订单编号', '主订单编号', '购买数量'],
  ],
  fields: {
    order_id: ['主订单编号'],
    line_id: ['子订单编号'],
    buyer_id: ['买家会员名', '买家昵称'],
    status: ['订单状态'],
    refund_status: ['退款状态'],
    created_at: ['订单创建时间'],
    paid_at: ['订单付款时间'],
    shipped_at: ['发货时间'],
    total: ['买家实付金额', '买家实际支付金额'],
    payable: ['买家应付货款'],
    refund_amount: ['退款金额'],
    product_id: ['商品ID'],
    sku: ['商家编码', '外部系统编号'],
    product_name: ['商品标题', '标题'],
    quantity: ['购买数量'],
    unit_price: ['商品价格', '价格'],
    shop: ['店铺名称'],
    logistics_company: ['物流公司'],
    tracking_number: ['物流单号'],
  },
  amounts: 'line',
  currency: 'CNY',
  timeZone: 'Asia/Shanghai',
  closedMeansRefunded: true,
}
