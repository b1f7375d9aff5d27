/** A paid order as a shop's server sends it, about 500 bytes. */
export function orderMessage(number: number): Record<string, unknown> {
  return {
    type: 'track',
    event: 'order.paid',
    context: { externalIds: [{ type: 'buyer_id:tmall', id: `tb${number % 50_000}` }] },
    timestamp: new Date(Date.now() - (number % 10_000) * 1_000).toISOString(),
    properties: {
      order_id: `20261121${number}`,
      shop: '旗舰店',
      platform: 'tmall',
      currency: 'CNY',
      total: 329,
      items: [
        { product_id: 'CJ101', name: '修护精华 30ml', category: '精华', quantity: 1, price: 329, total: 329 },
      ],
      province: '浙江省',
      city: '杭州市',
    },
  }
}
