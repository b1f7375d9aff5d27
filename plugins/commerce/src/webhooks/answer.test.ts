import { createHmac } from 'node:crypto'
import type { SourceEvent, WebhookAnswer } from '@huitou/plugin-api'
import { expect, test } from 'vitest'
import { createOrdersSource } from '../source.ts'

const source = createOrdersSource({ currency: 'CNY', timeZone: 'Asia/Shanghai' })
const settings = {
  shopifySecret: 'new-secret',
  shopifyPreviousSecret: 'old-secret',
  wooCommerceSecret: 'woo-secret',
}

const order = {
  id: 820982911946154508n.toString(),
  name: '#9999',
  email: 'Jon@Example.com',
  phone: null,
  created_at: '2026-01-02T10:00:00+08:00',
  processed_at: '2026-01-02T10:01:00+08:00',
  updated_at: '2026-01-02T10:01:30+08:00',
  cancelled_at: null,
  currency: 'CNY',
  total_price: '398.00',
  total_discounts: '2.00',
  financial_status: 'paid',
  fulfillment_status: null,
  customer: {
    id: 115310627314723950,
    email: 'jon@example.com',
    phone: '+8613800001111',
    first_name: 'Jon',
    last_name: 'Lee',
  },
  line_items: [
    {
      product_id: 788032119674292900,
      sku: 'SHOE',
      title: 'Shoe',
      quantity: 2,
      price: '199.00',
      total_discount: '0.00',
    },
    { product_id: 1, sku: 'LACE', title: 'Lace', quantity: 1, price: '2.00', total_discount: '2.00' },
  ],
  shipping_address: {
    name: 'Jon Lee',
    province: 'Zhejiang',
    city: 'Hangzhou',
    country: 'China',
    address1: 'Secret Road 1',
  },
  refunds: [],
  fulfillments: [],
}

async function shopify(topic: string, payload: unknown, signing = 'new-secret'): Promise<WebhookAnswer> {
  const body = Buffer.from(JSON.stringify(payload))
  return source.handleWebhook({
    path: 'shopify',
    method: 'POST',
    body,
    settings,
    headers: {
      'X-Shopify-Topic': topic,
      'X-Shopify-Shop-Domain': 'Demo.myshopify.com',
      'X-Shopify-Webhook-Id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
      'X-Shopify-Hmac-Sha256': createHmac('sha256', signing).update(body).digest('base64'),
    },
  })
}

async function woo(topic: string, payload: unknown, signing = 'woo-secret'): Promise<WebhookAnswer> {
  const body = Buffer.from(JSON.stringify(payload))
  return source.handleWebhook({
    path: 'woocommerce',
    method: 'POST',
    body,
    settings,
    headers: {
      'x-wc-webhook-topic': topic,
      'x-wc-webhook-source': 'https://shop.example.com/',
      'x-wc-webhook-signature': createHmac('sha256', signing).update(body).digest('base64'),
    },
  })
}

const names = (answer: WebhookAnswer) => (answer.events ?? []).map((event) => event.event ?? event.type)
const named = (answer: WebhookAnswer, name: string) => answer.events!.find((event) => event.event === name)!

test('a paid Shopify order becomes a customer and the life of the order', async () => {
  const answer = await shopify('orders/paid', order)
  expect(answer.status).toBe(200)
  expect(names(answer)).toEqual(['identify', 'order.created', 'order.paid'])
  expect(named(answer, 'order.paid')).toMatchObject({
    timestamp: Date.parse('2026-01-02T02:01:00Z'),
    version: Date.parse('2026-01-02T02:01:30Z'),
    externalIds: [
      { type: 'buyer_id:demo.myshopify.com' },
      { type: 'phone', id: '+8613800001111' },
      { type: 'email', id: 'jon@example.com' },
      { type: 'order_id:demo.myshopify.com', id: '820982911946154508' },
    ],
    properties: {
      order_id: '820982911946154508',
      shop: 'demo.myshopify.com',
      total: 398,
      currency: 'CNY',
      items: [
        { sku: 'SHOE', quantity: 2, total: 398 },
        { sku: 'LACE', total: 0 },
      ],
    },
  })
  expect(JSON.stringify(answer.events)).not.toContain('Secret Road')
})

test('the secret before the last change is still accepted', async () => {
  expect((await shopify('orders/paid', order, 'old-secret')).status).toBe(200)
})

test.each(['other-secret', ''])('a body signed with %j is refused and brings no events', async (secret) => {
  for (const answer of [
    await shopify('orders/paid', order, secret),
    await woo('order.created', { id: 1 }, secret),
  ]) {
    expect(answer.status).toBe(401)
    expect(answer.events).toBeUndefined()
  }
})

test('without a signature, or without a secret in the settings, nothing is believed', async () => {
  const request = { path: 'shopify', method: 'POST', body: Buffer.from('{}'), headers: {}, settings }
  expect((await source.handleWebhook(request)).status).toBe(401)
  const signature = createHmac('sha256', '').update('{}').digest('base64')
  expect(
    (
      await source.handleWebhook({
        ...request,
        settings: {},
        headers: { 'X-Shopify-Hmac-Sha256': signature },
      })
    ).status,
  ).toBe(401)
})

test('a delivery that comes twice brings the same message ids', async () => {
  const ids = (answer: WebhookAnswer) => answer.events!.map((event) => event.messageId)
  expect(ids(await shopify('orders/updated', order))).toEqual(ids(await shopify('orders/paid', order)))
})

test('deliveries out of order are told apart by the time of their update', async () => {
  const edited = { ...order, total_price: '300.00', updated_at: '2026-01-03T10:00:00+08:00' }
  const late = await shopify('orders/updated', edited)
  const early = await shopify('orders/create', order)
  const newest = [named(late, 'order.paid'), named(early, 'order.paid')].reduce((a: SourceEvent, b) =>
    b.version! > a.version! ? b : a,
  )
  expect(newest.properties!.total).toBe(300)
  const back = await shopify('orders/updated', { ...order, updated_at: '2026-01-04T10:00:00+08:00' })
  expect(named(back, 'order.paid').messageId).not.toBe(named(early, 'order.paid').messageId)
})

test('a refund that arrives alone is joined to its order by the order number', async () => {
  const refund = {
    id: 509562969,
    order_id: '820982911946154508',
    created_at: '2026-01-05T10:00:00+08:00',
    processed_at: '2026-01-05T10:00:00+08:00',
    transactions: [
      { kind: 'refund', status: 'success', amount: '41.94', currency: 'CNY' },
      { kind: 'refund', status: 'failure', amount: '9.00' },
    ],
  }
  const alone = await shopify('refunds/create', refund)
  expect(names(alone)).toEqual(['order.refunded'])
  expect(alone.events![0]).toMatchObject({
    externalIds: [{ type: 'order_id:demo.myshopify.com', id: '820982911946154508' }],
    properties: { refund_id: '509562969', amount: 41.94 },
  })
  const within = await shopify('orders/updated', {
    ...order,
    refunds: [refund],
    financial_status: 'partially_refunded',
  })
  expect(named(within, 'order.refunded').properties).toMatchObject({ refund_id: '509562969', amount: 41.94 })
})

test('an unpaid order that is cancelled was never a sale', async () => {
  const answer = await shopify('orders/cancelled', {
    ...order,
    financial_status: 'voided',
    cancelled_at: '2026-01-03T10:00:00+08:00',
    cancel_reason: 'customer',
  })
  expect(names(answer)).toEqual(['identify', 'order.created', 'order.closed'])
  expect(named(answer, 'order.closed').properties).toMatchObject({ reason: 'customer', was_paid: false })
})

test('a shipment says when it left and when it came', async () => {
  const fulfillments = [
    {
      status: 'success',
      created_at: '2026-01-03T10:00:00+08:00',
      updated_at: '2026-01-05T10:00:00+08:00',
      shipment_status: 'delivered',
      tracking_company: 'SF',
      tracking_number: 'SF1',
    },
  ]
  const answer = await shopify('orders/fulfilled', { ...order, fulfillments })
  expect(names(answer)).toEqual([
    'identify',
    'order.created',
    'order.paid',
    'order.shipped',
    'order.delivered',
  ])
  expect(named(answer, 'order.shipped').properties).toMatchObject({
    tracking_number: 'SF1',
    logistics_company: 'SF',
  })
})

test.each([
  ['orders/create', { ...order, test: true }],
  ['orders/delete', { id: 1 }],
  ['customers/redact', { customer: { id: 1 } }],
  ['products/update', { id: 1 }],
])('%s of that kind brings nothing', async (topic, payload) => {
  expect(await shopify(topic, payload)).toMatchObject({ status: 200, events: [] })
})

test('a checkout of a known customer starts once', async () => {
  const checkout = {
    token: 'abc',
    created_at: '2026-01-02T10:00:00Z',
    updated_at: '2026-01-02T10:00:00Z',
    email: 'a@example.com',
    currency: 'EUR',
    total_price: '10.00',
    line_items: [],
  }
  const [first, again] = [
    await shopify('checkouts/create', checkout),
    await shopify('checkouts/update', { ...checkout, total_price: '12.00' }),
  ]
  expect(names(first)).toEqual(['checkout.started'])
  expect(again.events![0]!.messageId).toBe(first.events![0]!.messageId)
})

const wooOrder = {
  id: 727,
  number: '727',
  status: 'processing',
  currency: 'EUR',
  date_created_gmt: '2026-01-02T09:00:00',
  date_modified_gmt: '2026-01-02T09:05:00',
  date_paid_gmt: '2026-01-02T09:04:00',
  total: '29.35',
  shipping_total: '10.00',
  discount_total: '0.00',
  customer_id: 0,
  billing: {
    first_name: 'Ann',
    last_name: 'Lee',
    email: 'Ann@Example.com',
    phone: '+14155552671',
    city: 'San Francisco',
    state: 'CA',
    country: 'US',
  },
  shipping: {},
  line_items: [{ product_id: 93, name: 'Tea', sku: 'T', quantity: 2, price: 9.675, total: '19.35' }],
  refunds: [],
}

test('a WooCommerce order of a guest is known by e-mail and phone', async () => {
  const answer = await woo('order.created', wooOrder)
  expect(names(answer)).toEqual(['identify', 'order.created', 'order.paid'])
  expect(named(answer, 'order.paid')).toMatchObject({
    timestamp: Date.UTC(2026, 0, 2, 9, 4),
    version: Date.UTC(2026, 0, 2, 9, 5),
    externalIds: [
      { type: 'phone', id: '+14155552671' },
      { type: 'email', id: 'ann@example.com' },
    ],
    properties: {
      order_id: '727',
      shop: 'shop.example.com',
      total: 29.35,
      currency: 'EUR',
      items: [{ sku: 'T', total: 19.35 }],
    },
  })
})

test.each([
  ['pending', null, ['identify', 'order.created']],
  ['failed', null, ['identify', 'order.created', 'order.payment_failed']],
  ['cancelled', null, ['identify', 'order.created', 'order.closed']],
  ['refunded', '2026-01-02T09:04:00', ['identify', 'order.created', 'order.paid', 'order.refunded']],
])('a WooCommerce order in state %s says what happened', async (status, paid, expected) => {
  const refunds = status === 'refunded' ? [{ id: 1, reason: '', total: '-29.35' }] : []
  const answer = await woo('order.updated', { ...wooOrder, status, date_paid_gmt: paid, refunds })
  expect(names(answer)).toEqual(expected)
})

test('the ping that WooCommerce sends on saving is answered, though it is not signed', async () => {
  const answer = await source.handleWebhook({
    path: 'woocommerce',
    method: 'POST',
    headers: {},
    body: Buffer.from('webhook_id=7'),
    settings,
  })
  expect(answer).toEqual({ status: 200, events: [] })
})

test('a signed body that is no JSON is refused', async () => {
  const body = Buffer.from('not json')
  const headers = {
    'x-shopify-hmac-sha256': createHmac('sha256', 'new-secret').update(body).digest('base64'),
  }
  expect(
    (await source.handleWebhook({ path: 'shopify', method: 'POST', headers, body, settings })).status,
  ).toBe(400)
})
