import type { OrderFormat } from './format.ts'

/** Any other list of orders. Headings are other names for the fields, Chinese and English. */
export const generic: OrderFormat = {
  id: 'generic',
  title: { en: 'Other orders', 'zh-CN': '其他订单文件' },
  platform: 'file',
  fingerprints: [],
  fields: {
    order_id: names(`
      订单编号, 订单号, 订单id, 主订单编号, 主订单号, 交易号, 单号, 订单, order id, order no, order number, order, orderid,
      order #, invoice, invoice no, invoice number, invoice id, transaction id, transaction, receipt no
    `),
    line_id: names(`子订单编号, 子订单号, 明细编号, line id, order line id, order item id, item id`),
    status: names(`订单状态, 状态, 交易状态, order status, status, financial status, payment status`),
    delivery_status: names(`发货状态, 物流状态, fulfillment status, shipping status, delivery status`),
    refund_status: names(`退款状态, 售后状态, refund status`),
    close_reason: names(`关闭原因, 订单关闭原因, 取消原因, cancel reason, close reason`),
    created_at: names(`
      下单时间, 订单创建时间, 创建时间, 订单时间, 下单日期, 订单日期, 提交时间, 交易时间, 交易日期, 购买时间, 购买日期, 消费时间, 消费日期, 日期, 时间, order date,
      created at, created, date created, create time, order time, purchase date, purchased at,
      invoice date, transaction date, order purchase timestamp, date, time, datetime, timestamp
    `),
    paid_at: names(`
      付款时间, 支付时间, 订单付款时间, 买家付款时间, 支付完成时间, 付款日期, paid at, payment date, paid date, date paid, pay time
    `),
    shipped_at: names(
      `发货时间, 发货日期, shipped at, ship date, shipping date, fulfilled at, dispatched at`,
    ),
    delivered_at: names(`送达时间, 妥投时间, delivered at, delivery date`),
    signed_at: names(`签收时间, 确认收货时间, 收货时间, signed at, received at`),
    completed_at: names(
      `完成时间, 订单完成时间, 交易成功时间, 成交时间, completed at, date completed, completion date`,
    ),
    closed_at: names(`关闭时间, 取消时间, cancelled at, canceled at, closed at, cancel date`),
    refunded_at: names(`退款时间, 退款日期, refunded at, refund date`),
    customer_id: names(`
      客户编号, 客户id, 会员编号, 会员id, 会员号, 会员卡号, 用户id, 用户编号, 顾客编号, customer id, customer no, customer number,
      client id, user id, member id, customer unique id, cust id, uid
    `),
    buyer_id: names(`
      买家会员名, 买家账号, 买家id, 下单帐号, 下单账号, 买家, 会员名, 用户名, buyer, buyer id, buyer name, buyer nick, username,
      user name
    `),
    phone: names(`
      买家手机号, 会员手机号, 客户手机号, 手机号, 手机, 手机号码, 联系手机, 联系电话, 电话, phone, mobile, phone number, telephone,
      billing phone, customer phone, mobile phone
    `),
    receiver_phone: names(`
      收货人手机号, 收货人手机, 收件人手机号, 收件人手机, 收货人电话, 收件人电话, receiver phone, shipping phone, recipient phone
    `),
    email: names(`
      邮箱, 电子邮箱, 电子邮件, 买家邮箱, email, e-mail, mail, email address, customer email, billing email,
      contact email
    `),
    name: names(`
      收货人姓名, 收货人, 收件人, 收件人姓名, 客户姓名, 会员姓名, 姓名, 客户, 顾客, customer name, full name, customer, billing name,
      shipping name, recipient
    `),
    first_name: names(`first name, billing first name, given name`),
    last_name: names(`last name, billing last name, surname, family name`),
    province: names(`
      省, 省份, 收货省份, 收货人省份, province, state, region, billing state, shipping state, shipping province,
      customer state
    `),
    city: names(`市, 城市, 收货城市, 收货人城市, city, billing city, shipping city, customer city, town`),
    country: names(`国家, 国家/地区, country, billing country, shipping country, country code`),
    address: names(`收货地址, 详细地址, 地址, 收件地址, 客户地址`),
    total: names(`
      实付金额, 实付款, 实际支付金额, 买家实际支付金额, 买家实付金额, 订单实付金额, 支付金额, 付款金额, 实收金额, 成交金额, 消费金额, 交易金额, 订单金额, 订单总额, 总金额,
      总价, 金额, 合计, 销售额, total, order total, grand total, total price, total paid, amount paid, paid amount,
      amount, revenue, sales, order value, order amount, total amount, payment value, dollar value, value,
      spend, order total amount, net revenue
    `),
    payable: names(`应付金额, 应付款, 应收金额, 订单应付金额, amount due, payable`),
    shipping: names(`
      运费, 邮费, 快递费, 运费金额, shipping, shipping cost, shipping total, freight, freight value, postage,
      delivery fee
    `),
    discount: names(
      `优惠, 优惠金额, 折扣, 折扣金额, 优惠总金额, discount, discount amount, discount total, total discount`,
    ),
    refund_amount: names(`
      退款金额, 已退款金额, 订单已退款金额, 退款, refund, refund amount, refunded amount, amount refunded, total refunded
    `),
    currency: names(`币种, 货币, currency, currency code, order currency`),
    payment_method: names(`支付方式, 付款方式, payment method, payment type, payment method title`),
    coupon_code: names(`优惠券, 优惠码, 优惠券码, coupon, coupon code, discount code, coupons`),
    product_id: names(`商品id, 商品编号, 宝贝id, product id, stock code, stockcode, article, article no`),
    sku: names(`sku, skuid, sku id, 商家编码, 商品编码, 货号, 规格编码, item sku, variant sku`),
    product_name: names(`
      商品名称, 商品标题, 宝贝标题, 商品, 品名, 产品名称, 产品, product name, product, item, item name, description, title,
      product title
    `),
    product_list: names(`全部商品名称`),
    category: names(`
      类目, 商品类目, 分类, 商品分类, 品类, 产品类别, category, product category, department, product category name
    `),
    quantity: names(`
      数量, 购买数量, 商品数量, 订购数量, 件数, quantity, qty, units, item quantity, number of items, number of cds, count
    `),
    unit_price: names(
      `单价, 商品单价, 商品价格, 价格, 售价, unit price, price, item price, unit cost, product price`,
    ),
    line_total: names(
      `小计, 行金额, 商品金额, 商品小计, line total, subtotal, item total, line amount, extended price`,
    ),
    shop: names(`店铺, 店铺名称, 门店, 归属店铺, shop, store, shop name, store name`),
    channel: names(`渠道, 销售渠道, 订单来源, channel, sales channel, source`),
    logistics_company: names(`物流公司, 快递公司, carrier, shipping company`),
    tracking_number: names(`物流单号, 快递单号, 运单号, tracking number, tracking no`),
  },
  amounts: 'auto',
}

/** Names from a comma-separated list, which stays readable where an array would take a line each. */
function names(list: string): string[] {
  return list.split(',').map((name) => name.trim())
}
