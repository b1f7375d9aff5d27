import { createHash, timingSafeEqual } from 'node:crypto'
import type {
  Channel,
  Collection,
  Delivery,
  DeliveryResult,
  Huitou,
  LookUpResult,
  Receipt,
} from '@huitou/plugin-api'
import { resultOfFailure } from './failure.ts'
import { nextLegalTime } from './legal-hours.ts'
import { findAnswered, findByProviderIds } from './message-log.ts'
import type { LoggedSms } from './message-log.ts'
import { isOptOut } from './opt-out.ts'
import { isChinese, toE164 } from './phone.ts'
import type { AccountSettings, News, Provider, Sms } from './provider.ts'
import type { PruneSettings } from './prune.ts'

const textLimit = 500
/** Messages asked about in one go; the rest comes next time. */
const polledAtOnce = 50

export interface SmsSettings extends PruneSettings {
  callbackToken?: string
  optOutWords?: string[]
}

interface Deps {
  provider: Provider
  log: Collection<LoggedSms>
  huitou: Pick<Huitou<{ settings: SmsSettings }>, 'settings' | 'log'>
  /** Keeps the log from growing for ever. */
  prune(now: number): Promise<void>
}

/** A channel that sends templates through one provider, within the hours that the law leaves. */
export function createChannel(deps: Deps): Channel {
  const { provider, log } = deps
  return {
    async send({ settings, deliveries }, { now }) {
      const missing = provider.missing(settings)
      if (missing)
        return deliveries.map(({ key }) => ({
          key,
          outcome: 'failed',
          code: 'SETTINGS',
          message: `The account lacks ${missing}`,
        }))
      const results = await Promise.all(
        deliveries.map((delivery) => sendOne(deps, delivery, { settings, now })),
      )
      await deps.prune(now)
      return results
    },

    async poll({ settings, pending }, { now }) {
      if (pending.length === 0 || provider.missing(settings)) return []
      const ids = pending.slice(0, polledAtOnce).map(({ providerId }) => providerId)
      const records = await findByProviderIds(log, provider.id, ids)
      const news = await provider.poll(
        records.map(({ data }) => data),
        settings,
        now,
      )
      const receipts = await take(deps, news)
      await deps.prune(now)
      return receipts
    },

    async lookUp({ settings, messages }, { now }) {
      const results: LookUpResult[] = []
      for (const { key, address, at } of messages) {
        const phone = toE164(address)
        const found = phone
          ? await provider.lookUp({ key, phone, at }, settings, now).catch(() => undefined)
          : undefined
        results.push(found ?? { key, outcome: 'unknown' })
      }
      return results
    },

    async handleWebhook({ path, body, settings }, { now }) {
      if (!isOurs(path, settings['callbackToken'])) return { status: 404, body: { error: 'no such address' } }
      const news = provider.readNews(parse(body), now)
      if (!news) return { status: 400, body: { error: 'neither receipts nor replies' } }
      const receipts = await take(deps, news)
      await deps.prune(now)
      return { status: 200, body: provider.thanks, receipts }
    },

    async verifySettings(settings, { now }) {
      const field = provider.missing(settings)
      if (field) return { ok: false, field, message: `The account lacks ${field}` }
      return await provider.verify(settings, now).catch((error: Error) => ({
        ok: false as const,
        message: error.message,
      }))
    },
  }
}

async function sendOne(
  { provider, log, huitou }: Deps,
  delivery: Delivery,
  { settings, now }: { settings: AccountSettings; now: number },
): Promise<DeliveryResult> {
  const { key } = delivery
  const checked = checkDelivery(delivery, settings, now)
  if ('outcome' in checked) return checked
  const result = await provider
    .send(checked, settings, now)
    .catch((error: unknown) => resultOfFailure(key, error))
  if (result.outcome === 'refused' || result.outcome === 'failed') return result
  const { phone, template } = checked
  const entry: LoggedSms = {
    provider: provider.id,
    key,
    ...('providerId' in result && result.providerId ? { provider_id: result.providerId } : {}),
    phone,
    signature: String(settings['signature']),
    template,
    at: new Date(now).toISOString(),
    outcome: result.outcome,
  }
  await log
    .insert({ ...entry, customer: delivery.customerId })
    // Whom a text went to may be gone by now; that it went is kept all the same.
    .catch(() => log.insert(entry))
    // It is out; what cannot be logged must not make it go out again.
    .catch((error: Error) => huitou.log.error('A text could not be logged', { key, error: error.message }))
  return result
}

/** Notes what happened and makes receipts of replies, which name a number only. */
async function take({ provider, log, huitou }: Deps, { receipts, replies }: News): Promise<Receipt[]> {
  const records = await findByProviderIds(log, provider.id, [
    ...new Set(receipts.map((one) => one.providerId)),
  ])
  for (const { id, data } of records) {
    const told = receipts.findLast((one) => one.providerId === data.provider_id)
    const outcome = told?.code ? `${told.kind} ${told.code}`.slice(0, 100) : told?.kind
    if (outcome && outcome !== data.outcome) await log.update(id, { outcome })
  }
  const answers: Receipt[] = []
  for (const { phone, text, at } of replies) {
    const record = await findAnswered(log, { provider: provider.id, phone, at })
    if (!record) {
      huitou.log.warn('Somebody replied to no message of ours', { provider: provider.id })
      continue
    }
    await log.update(record.id, { reply: text.slice(0, 1000), replied_at: new Date(at).toISOString() })
    const { key, provider_id: providerId = key } = record.data
    answers.push({ providerId, key, kind: 'replied', at, detail: text.slice(0, 1000) })
    if (isOptOut(text, huitou.settings.optOutWords))
      answers.push({ providerId, key, kind: 'unsubscribed', at })
  }
  return [...receipts, ...answers]
}

/** The text to send, or why it does not go out. */
function checkDelivery(
  { key, address, content }: Delivery,
  settings: AccountSettings,
  now: number,
): Sms | DeliveryResult {
  const refuse = (code: string, message: string): DeliveryResult => ({
    key,
    outcome: 'refused',
    code,
    message,
  })
  const phone = toE164(address)
  if (!phone) return refuse('NUMBER', 'this is not the number of a mobile phone')
  const { template, parameters = {}, text, purpose = 'marketing' } = content
  if (typeof template !== 'string' || template === '') return refuse('TEMPLATE', 'the template is missing')
  if (typeof text === 'string' && text.length > textLimit)
    return refuse('LENGTH', `the text is longer than ${textLimit} characters`)
  const retryAt =
    purpose === 'marketing' && isChinese(phone)
      ? nextLegalTime(now, settings as { from?: number })
      : undefined
  if (retryAt !== undefined)
    return { key, outcome: 'failed', code: 'HOURS', message: 'no marketing texts at this hour', retryAt }
  const texts = Object.entries(parameters as object).map(([name, value]) => [name, String(value)])
  return { key, phone, template, parameters: Object.fromEntries(texts) as Sms['parameters'] }
}

/** Providers sign nothing, so the address itself is the secret: its last part has to be the token. */
function isOurs(path: string, token: unknown): boolean {
  if (typeof token !== 'string' || token === '') return false
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(path.split('/').at(-1) ?? ''), digest(token))
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown
  } catch {
    return undefined
  }
}
