import type { Channel, Delivery, DeliveryResult, Huitou } from '@huitou/plugin-api'
import { resultOfFailure } from './failure.ts'
import { readReceipts } from './receipts.ts'
import { isSigned, signedHeaders } from './signature.ts'

/** What the receiver may take for an answer before the message counts as lost. */
const timeoutMs = 5_000
const secretLength = 16

/** Posts each message, signed, under its key. The receiver keeps keys, so a message may be posted again. */
export function createChannel(huitou: Pick<Huitou, 'fetch'>): Channel {
  const post = async (delivery: Delivery, settings: Readonly<Record<string, unknown>>, now: number) => {
    const { key, customerId, address, locale, content } = delivery
    const body = JSON.stringify({ id: key, customerId, address, locale, content })
    const answer = await huitou.fetch(String(settings['url']), {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        ...signedHeaders({ id: key, body, now }, String(settings['secret'])),
      },
      body,
      redirect: 'error',
      timeoutMs,
    })
    return toResult(key, answer.status, { retryAfter: answer.headers.get('retry-after'), now })
  }

  return {
    async send({ settings, deliveries }, { now }) {
      const problem = problemOf(settings)
      if (problem)
        return deliveries.map(({ key }) => ({
          key,
          outcome: 'failed',
          code: 'SETTINGS',
          message: problem.message,
        }))
      return await Promise.all(
        deliveries.map((delivery) =>
          post(delivery, settings, now).catch((error: unknown) => resultOfFailure(delivery.key, error)),
        ),
      )
    },

    handleWebhook({ headers, body, settings }, { now }) {
      const secret = settings['receiptsSecret']
      if (typeof secret !== 'string' || secret === '' || !isSigned({ headers, body, now }, secret))
        return { status: 401, body: { error: 'the signature is wrong, or too old' } }
      const receipts = readReceipts(body, now)
      return receipts ? { status: 202, receipts } : { status: 400, body: { error: 'not a list of receipts' } }
    },

    verifySettings(settings) {
      return problemOf(settings) ?? { ok: true }
    },
  }
}

function toResult(
  key: string,
  status: number,
  { retryAfter, now }: { retryAfter: string | null; now: number },
): DeliveryResult {
  if (status >= 200 && status < 300) return { key, outcome: 'sent', providerId: key }
  const answer = { key, code: `HTTP_${status}`, message: `the receiver answered ${status}` }
  if (status < 500 && ![408, 425, 429].includes(status)) return { ...answer, outcome: 'refused' }
  const retryAt = toTime(retryAfter, now)
  return { ...answer, outcome: 'failed', ...(retryAt === undefined ? {} : { retryAt }) }
}

/** When a `Retry-After` header says to come back: seconds, or a date. */
function toTime(header: string | null, now: number): number | undefined {
  if (header === null || header === '') return undefined
  const at = /^\d+$/.test(header) ? now + Number(header) * 1000 : Date.parse(header)
  return Number.isFinite(at) ? at : undefined
}

function problemOf({ url, secret }: Readonly<Record<string, unknown>>) {
  if (typeof url !== 'string' || !URL.canParse(url) || new URL(url).protocol !== 'https:')
    return { ok: false as const, field: 'url', message: 'The address has to begin with https://' }
  if (typeof secret !== 'string' || secret.length < secretLength)
    return {
      ok: false as const,
      field: 'secret',
      message: `The signing secret needs at least ${secretLength} characters`,
    }
  return undefined
}
