import type { SourceEvent, WebhookAnswer, WebhookRequest } from '@huitou/plugin-api'
import { identify, orderEvents } from '../facts.ts'
import { toAmount } from '../money.ts'
import { bareOrder, type Order, type OrderCustomer } from '../orders.ts'
import { findEmail, findPhone } from '../phones.ts'
import { findStage, STAGE_RANK } from '../statuses.ts'
import { filled, findPayload, list, money, part, sortItems, text, time, type Payload } from './payload.ts'
import { isSigned } from './signature.ts'

/** Events of a WooCommerce webhook. The unsigned ping that saving a webhook sends is answered and brings nothing. */
export function answerWooCommerce(request: WebhookRequest): WebhookAnswer {
  const { body, headers, settings } = request
  if (body.length < 64 && /^webhook_id=\d+$/.test(new TextDecoder().decode(body)))
    return { status: 200, events: [] }
  if (!isSigned(body, headers['x-wc-webhook-signature'], [settings.wooCommerceSecret])) {
    return {
      status: 401,
      body: { code: 'E_WEBHOOK_SIGNATURE', message: 'The signature does not fit the webhook secret' },
    }
  }
  const payload = findPayload(body)
  if (!payload)
    return { status: 400, body: { code: 'E_WEBHOOK_BODY', message: 'The body is not a JSON object' } }
  const shop = hostOf(headers['x-wc-webhook-source'])
  const [thing, what] = (headers['x-wc-webhook-topic'] ?? '').split('.')
  if (what === 'deleted') return { status: 200, events: [] }
  if (thing === 'order' && text(payload, 'id'))
    return { status: 200, events: orderEvents(toOrder(payload, shop)) }
  if (thing === 'customer') return { status: 200, events: customerEvents(payload, shop) }
  return { status: 200, events: [] }
}

function toOrder(payload: Payload, shop: string): Order {
  const id = text(payload, 'id')!
  const currency = text(payload, 'currency') ?? 'USD'
  const status = text(payload, 'status')
  const stage = findStage(status) ?? 'unpaid'
  const created = gmt(payload, 'date_created') ?? gmt(payload, 'date_modified') ?? 0
  const modified = gmt(payload, 'date_modified') ?? created
  const paid =
    gmt(payload, 'date_paid') ??
    (STAGE_RANK[stage] >= STAGE_RANK.paid && stage !== 'closed' ? created : undefined)
  const completed = gmt(payload, 'date_completed')
  const times: Order['times'] = { created, ...(paid === undefined ? {} : { paid }) }
  if (completed !== undefined && (stage === 'completed' || stage === 'refunded')) times.completed = completed
  if (stage === 'closed' || stage === 'payment_failed') times[stage] = modified
  const shipping = part(payload, 'shipping')
  const billing = part(payload, 'billing')
  const address = text(shipping, 'city') ? shipping : billing
  const place = {
    province: text(address, 'state'),
    city: text(address, 'city'),
    country: text(address, 'country'),
  }
  return {
    ...bareOrder({ id, shop, currency, platform: 'woocommerce' }),
    number: text(payload, 'number'),
    stage,
    status,
    times,
    estimated: new Set(stage === 'closed' || stage === 'payment_failed' ? [stage] : []),
    total: money(payload, 'total', currency),
    shipping: money(payload, 'shipping_total', currency),
    discount: money(payload, 'discount_total', currency),
    items: toItems(payload, currency),
    refunds: list(payload, 'refunds')
      .map((refund) => ({
        ...filled({ id: text(refund, 'id') }),
        amount: Math.abs(money(refund, 'total', currency) ?? 0),
        at: modified,
        estimated: true,
      }))
      .filter((refund) => refund.amount > 0),
    customer: toCustomer(text(payload, 'customer_id'), billing, { shop, place }),
    ...place,
    receiver:
      [text(address, 'first_name'), text(address, 'last_name')].filter(Boolean).join(' ') || undefined,
    paymentMethod: text(payload, 'payment_method'),
    coupon:
      list(payload, 'coupon_lines')
        .map((line) => text(line, 'code'))
        .filter(Boolean)
        .join(', ') || undefined,
    channel: text(payload, 'created_via'),
    version: modified,
  }
}

function customerEvents(payload: Payload, shop: string): SourceEvent[] {
  const billing = { ...part(payload, 'billing') }
  for (const key of ['email', 'first_name', 'last_name']) billing[key] = text(payload, key) ?? billing[key]
  const place = {
    province: text(billing, 'state'),
    city: text(billing, 'city'),
    country: text(billing, 'country'),
  }
  const customer = toCustomer(text(payload, 'id'), billing, { shop, place })
  if (customer.externalIds.length === 0) return []
  const version = gmt(payload, 'date_modified') ?? gmt(payload, 'date_created') ?? 0
  const event = identify(
    { ...bareOrder({ id: '', shop, currency: 'USD', platform: 'woocommerce' }), customer, version },
    version,
  )
  return event ? [event] : []
}

function toCustomer(
  id: string | undefined,
  billing: Payload,
  from: { shop: string; place: Record<string, string | undefined> },
): OrderCustomer {
  const phone = findPhone(text(billing, 'phone'))
  const email = findEmail(text(billing, 'email'))
  const firstName = text(billing, 'first_name')
  const lastName = text(billing, 'last_name')
  return {
    externalIds: [
      // Customer 0 is every guest.
      ...(id && id !== '0' ? [{ type: `buyer_id:${from.shop}`, id }] : []),
      ...(phone ? [{ type: 'phone', id: phone }] : []),
      ...(email ? [{ type: 'email', id: email }] : []),
    ],
    traits: filled({
      name: [firstName, lastName].filter(Boolean).join(' ') || undefined,
      first_name: firstName,
      last_name: lastName,
      phone,
      email,
      ...from.place,
    }),
  }
}

function toItems(payload: Payload, currency: string): Order['items'] {
  return sortItems(
    list(payload, 'line_items').map((line) => {
      const price = money(line, 'price', currency)
      const total = money(line, 'total', currency)
      return {
        ...filled({ product_id: text(line, 'product_id'), sku: text(line, 'sku'), name: text(line, 'name') }),
        quantity: Number(text(line, 'quantity') ?? 1),
        ...(price === undefined ? {} : { price: toAmount(price, currency) }),
        ...(total === undefined ? {} : { total }),
      }
    }),
  )
}

/** WooCommerce's `_gmt` times carry no zone; without them the shop's local time has to do. */
function gmt(payload: Payload, key: string): number | undefined {
  return time(payload, `${key}_gmt`) ?? time(payload, key)
}

function hostOf(source: string | undefined): string {
  return source && URL.canParse(source) ? new URL(source).host : 'woocommerce'
}
