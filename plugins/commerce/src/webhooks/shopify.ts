import type { SourceEvent, WebhookAnswer, WebhookRequest } from '@huitou/plugin-api'
import { contentId, identify, orderEvents } from '../facts.ts'
import { toAmount } from '../money.ts'
import { bareOrder, lastStage, type Order, type OrderCustomer, type Refund } from '../orders.ts'
import { findEmail, findPhone } from '../phones.ts'
import { findStage } from '../statuses.ts'
import { filled, findPayload, list, money, part, sortItems, text, time, type Payload } from './payload.ts'
import { isSigned } from './signature.ts'

/**
 * Events of a Shopify webhook. Deliveries may come twice and in any order: message ids follow from the content, and
 * `updated_at` is the version.
 */
export function answerShopify(request: WebhookRequest): WebhookAnswer {
  const { body, headers, settings } = request
  const secrets = [settings.shopifySecret, settings.shopifyPreviousSecret]
  if (!isSigned(body, headers['x-shopify-hmac-sha256'], secrets)) {
    return {
      status: 401,
      body: { code: 'E_WEBHOOK_SIGNATURE', message: 'The signature does not fit the webhook secret' },
    }
  }
  const payload = findPayload(body)
  if (!payload)
    return { status: 400, body: { code: 'E_WEBHOOK_BODY', message: 'The body is not a JSON object' } }
  const topic = headers['x-shopify-topic'] ?? ''
  const shop = (headers['x-shopify-shop-domain'] ?? 'shopify').toLowerCase()
  return { status: 200, events: shopifyEvents(topic, shop, payload) }
}

function shopifyEvents(topic: string, shop: string, payload: Payload): SourceEvent[] {
  const [thing, what] = topic.split('/')
  // Test orders are nobody's purchases; privacy requests and deletions bring nothing to add.
  if (payload.test === true || what === 'delete' || what === 'redact' || what === 'data_request') return []
  if (thing === 'orders') return text(payload, 'id') ? orderEvents(toOrder(payload, shop)) : []
  if (thing === 'refunds') return refundEvents(payload, shop)
  if (thing === 'customers') return customerEvents(payload, shop)
  if (thing === 'checkouts') return checkoutEvents(payload, shop)
  return []
}

function toOrder(payload: Payload, shop: string): Order {
  const id = text(payload, 'id')!
  const currency = text(payload, 'currency') ?? 'USD'
  const created =
    time(payload, 'created_at') ?? time(payload, 'processed_at') ?? time(payload, 'updated_at') ?? 0
  const status = text(payload, 'financial_status')
  const closed = time(payload, 'cancelled_at')
  const shipment = list(payload, 'fulfillments')
    .filter((fulfillment) => text(fulfillment, 'status') !== 'cancelled')
    .sort((a, b) => (time(a, 'created_at') ?? 0) - (time(b, 'created_at') ?? 0))[0]
  const financial = findStage(status) ?? 'unpaid'
  const paid =
    financial === 'refunded' ||
    (financial === 'paid' && status !== 'authorized' && status !== 'partially_paid')
  const delivered =
    shipment && text(shipment, 'shipment_status') === 'delivered' ? time(shipment, 'updated_at') : undefined
  const times: Order['times'] = {
    created,
    ...(paid ? { paid: time(payload, 'processed_at') ?? created } : {}),
    ...(shipment ? { shipped: time(shipment, 'created_at') ?? created } : {}),
    ...(delivered === undefined ? {} : { delivered }),
    ...(closed === undefined ? {} : { closed }),
  }
  const address = payload.shipping_address
    ? part(payload, 'shipping_address')
    : part(payload, 'billing_address')
  const place = {
    province: text(address, 'province'),
    city: text(address, 'city'),
    country: text(address, 'country') ?? text(address, 'country_code'),
  }
  const shippingSet = part(part(payload, 'total_shipping_price_set'), 'shop_money')
  return {
    ...bareOrder({ id, shop, currency, platform: 'shopify' }),
    number: text(payload, 'name'),
    stage: lastStage(times),
    status,
    times,
    total: money(payload, 'total_price', currency),
    shipping: money(shippingSet, 'amount', currency),
    discount: money(payload, 'total_discounts', currency),
    items: toItems(payload, currency),
    refunds: list(payload, 'refunds')
      .map((refund) => toRefund(refund, currency))
      .filter((refund) => refund.amount > 0),
    customer: toCustomer({ ...part(payload, 'customer') }, { shop, order: payload, place, orderId: id }),
    ...place,
    receiver: text(address, 'name'),
    reason: text(payload, 'cancel_reason'),
    channel: text(payload, 'source_name'),
    coupon:
      list(payload, 'discount_codes')
        .map((code) => text(code, 'code'))
        .filter(Boolean)
        .join(', ') || undefined,
    logistics: shipment && text(shipment, 'tracking_company'),
    tracking: shipment && text(shipment, 'tracking_number'),
    version: time(payload, 'updated_at') ?? created,
  }
}

/** A refund may arrive before its order: the order's number is what will join them. */
function refundEvents(payload: Payload, shop: string): SourceEvent[] {
  const id = text(payload, 'order_id')
  if (!id) return []
  const transaction = list(payload, 'transactions')[0]
  const currency = (transaction && text(transaction, 'currency')) ?? 'USD'
  const refund = toRefund(payload, currency)
  if (refund.amount <= 0) return []
  const customer: OrderCustomer = { externalIds: [orderName(shop, id)], traits: {} }
  return orderEvents({
    ...bareOrder({ id, shop, currency, platform: 'shopify' }),
    refunds: [refund],
    customer,
    version: refund.at,
  })
}

function customerEvents(payload: Payload, shop: string): SourceEvent[] {
  const address = part(payload, 'default_address')
  const place = {
    province: text(address, 'province'),
    city: text(address, 'city'),
    country: text(address, 'country'),
  }
  const customer = toCustomer(payload, { shop, order: {}, place })
  if (customer.externalIds.length === 0) return []
  const version = time(payload, 'updated_at') ?? time(payload, 'created_at') ?? 0
  const event = identify(
    { ...bareOrder({ id: '', shop, currency: 'USD', platform: 'shopify' }), customer, version },
    version,
  )
  return event ? [event] : []
}

function checkoutEvents(payload: Payload, shop: string): SourceEvent[] {
  const checkoutId = text(payload, 'token') ?? text(payload, 'id')
  const timestamp = time(payload, 'created_at')
  const currency = text(payload, 'currency') ?? 'USD'
  const customer = toCustomer(part(payload, 'customer'), { shop, order: payload, place: {} })
  if (!checkoutId || timestamp === undefined || customer.externalIds.length === 0) return []
  const total = money(payload, 'total_price', currency)
  const items = toItems(payload, currency).map((item) => ({
    ...item,
    ...(item.total === undefined ? {} : { total: toAmount(item.total, currency) }),
  }))
  return [
    {
      // One checkout starts once, however often it is changed afterwards.
      messageId: contentId(['shopify', shop, 'checkout.started', checkoutId]),
      type: 'track',
      event: 'checkout.started',
      timestamp,
      externalIds: customer.externalIds,
      properties: {
        checkout_id: checkoutId,
        shop,
        platform: 'shopify',
        currency,
        ...(total === undefined ? {} : { total: toAmount(total, currency) }),
        items,
      },
      version: time(payload, 'updated_at') ?? timestamp,
    },
  ]
}

function toCustomer(
  customer: Payload,
  from: { shop: string; order: Payload; place: Record<string, string | undefined>; orderId?: string },
): OrderCustomer {
  const { shop, order, place } = from
  const address = part(order, 'shipping_address')
  const phone = findPhone(text(customer, 'phone') ?? text(order, 'phone') ?? text(address, 'phone'))
  const email = findEmail(text(customer, 'email') ?? text(order, 'email') ?? text(order, 'contact_email'))
  const id = text(customer, 'id')
  const firstName = text(customer, 'first_name')
  const lastName = text(customer, 'last_name')
  return {
    externalIds: [
      ...(id ? [{ type: `buyer_id:${shop}`, id }] : []),
      ...(phone ? [{ type: 'phone', id: phone }] : []),
      ...(email ? [{ type: 'email', id: email }] : []),
      ...(from.orderId ? [orderName(shop, from.orderId)] : []),
    ],
    traits: filled({
      name: [firstName, lastName].filter(Boolean).join(' ') || text(address, 'name'),
      first_name: firstName,
      last_name: lastName,
      phone,
      email,
      ...place,
    }),
  }
}

function toItems(payload: Payload, currency: string): Order['items'] {
  return sortItems(
    list(payload, 'line_items').map((line) => {
      const quantity = Number(text(line, 'quantity') ?? 1)
      const price = money(line, 'price', currency)
      const total =
        price === undefined ? undefined : price * quantity - (money(line, 'total_discount', currency) ?? 0)
      return {
        ...filled({
          product_id: text(line, 'product_id'),
          sku: text(line, 'sku'),
          name: text(line, 'title'),
          category: text(line, 'product_type'),
        }),
        quantity,
        ...(price === undefined ? {} : { price: toAmount(price, currency) }),
        ...(total === undefined ? {} : { total }),
      }
    }),
  )
}

function toRefund(refund: Payload, currency: string): Refund {
  const id = text(refund, 'id')
  const at = time(refund, 'processed_at') ?? time(refund, 'created_at') ?? 0
  const amount = list(refund, 'transactions')
    .filter(
      (transaction) =>
        text(transaction, 'kind') === 'refund' && (text(transaction, 'status') ?? 'success') === 'success',
    )
    .reduce((sum, transaction) => sum + (money(transaction, 'amount', currency) ?? 0), 0)
  return { ...(id ? { id } : {}), amount, at }
}

function orderName(shop: string, id: string): { type: string; id: string } {
  return { type: `order_id:${shop}`, id }
}
