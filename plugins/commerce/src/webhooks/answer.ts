import type { WebhookAnswer, WebhookRequest } from '@huitou/plugin-api'
import { answerShopify } from './shopify.ts'
import { answerWooCommerce } from './woocommerce.ts'

/** Answers a webhook by its path. Nothing is believed that is not signed. */
export function answerWebhook(request: WebhookRequest): WebhookAnswer {
  const path = request.path
    .replace(/^\/+|\/+$/g, '')
    .split('/')
    .at(-1)
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
  if (request.method.toUpperCase() !== 'POST') return { status: 405 }
  if (path === 'shopify') return answerShopify({ ...request, headers })
  if (path === 'woocommerce') return answerWooCommerce({ ...request, headers })
  return { status: 404 }
}
