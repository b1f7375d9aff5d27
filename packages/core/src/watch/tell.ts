import { createHash } from 'node:crypto'
import { AppError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { type MailSettings, noMailServer } from '../settings/mail-server.ts'
import { sendMail } from '../settings/send-mail.ts'
import { dueNotices, type Failure, type Notice, noteTold } from './notices.ts'
import { postJson, postText, TEXT_BYTES, type Webhook } from './post.ts'
import { targetsOf, type Target, wayOf, WEBHOOK } from './targets.ts'
import { type AlertSettings, readAlertSettings } from './thresholds.ts'
import type { WebhookSecrets } from './webhook.ts'
import { markOf, toChat, toMail, toTest, type Voice } from './words.ts'

export type TellDeps = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'log'> & {
  mail: MailSettings
  webhookSecrets: WebhookSecrets
}

/** Tells everybody what waits for them, each in one message. */
export async function tellAll(deps: TellDeps): Promise<void> {
  const { database, clock, log } = deps
  const settings = await readAlertSettings(database.db)
  for (const target of targetsOf(settings)) {
    const now = clock.now()
    const notices = await dueNotices(database.db, target.id, { perHour: settings.perHour, now })
    if (notices.length === 0) continue
    const error = await tell(deps, { target, notices, settings }).then(
      () => undefined,
      (cause: unknown) => cause,
    )
    if (error !== undefined)
      log.warn({ way: wayOf(target.id), code: codeOf(error) }, 'An alert could not be told')
    await noteTold(database.db, target.id, {
      notices,
      now,
      error: error === undefined ? undefined : failureOf(error),
    })
  }
}

interface Telling {
  target: Target
  notices: readonly Notice[]
  settings: AlertSettings
}

async function tell(deps: TellDeps, { target, notices, settings }: Telling): Promise<void> {
  const voice = await voiceOf(deps, target.locale)
  if (target.id === WEBHOOK) {
    const { webhook: address, webhookKind: kind } = settings
    const secret = await deps.webhookSecrets.find(address)
    return await tellWebhook({ address, kind, secret }, notices, voice)
  }
  const server = await deps.mail.find()
  if (!server) throw noMailServer()
  await sendMail(server, { to: target.id.slice('mail:'.length), ...toMail(notices, voice) })
}

/** Says at an address that this is a test; throws what the other side said unless it took it. */
export async function testWebhook(
  deps: Pick<TellDeps, 'brand'>,
  webhook: Webhook,
  locale: Target['locale'],
): Promise<void> {
  const text = toTest(await voiceOf(deps, locale))
  if (webhook.kind !== 'json') return await postText(webhook, text, Date.now())
  const now = Date.now()
  await postJson(webhook, { id: `test-${now}`, body: { text, test: true, alerts: [] }, now })
}

async function voiceOf(deps: Pick<TellDeps, 'brand'>, locale: Target['locale']): Promise<Voice> {
  const { brandName, publicUrl = '', timeZone } = await deps.brand()
  return { locale, brandName, publicUrl, timeZone }
}

async function tellWebhook(webhook: Webhook, notices: readonly Notice[], voice: Voice): Promise<void> {
  // Signatures are compared with the time of the other side, not with the one of the demo shop.
  const now = Date.now()
  if (webhook.kind !== 'json')
    return await postText(webhook, toChat(notices, voice, TEXT_BYTES[webhook.kind]), now)
  await postJson(webhook, { id: idOf(notices), body: toBody(notices, voice), now })
}

/** The same for the same alerts, so that a program knows what comes again. */
function idOf(notices: readonly Notice[]): string {
  const hash = createHash('sha256')
  for (const { alert, state } of notices) hash.update(`${alert.id} ${state}\n`)
  return hash.digest('hex').slice(0, 32)
}

/** Chat programs show `text`; programs read the rest. Of one alert everything stands at the top as well. */
function toBody(notices: readonly Notice[], voice: Voice): object {
  const messages = notices.map((notice) => toMessage(notice, voice))
  const text = messages.map((message) => message.text).join('\n')
  return { ...(messages.length === 1 ? messages[0] : {}), text, alerts: messages }
}

function toMessage({ alert, state }: Notice, { locale, publicUrl }: Voice) {
  const { id, kind, subject, severity, title, advice, raisedAt, resolvedAt } = alert
  return {
    text: `${markOf(state)} ${title[locale]}`,
    state,
    id,
    kind,
    subject,
    severity,
    title,
    advice,
    raisedAt,
    resolvedAt: state === 'raised' ? null : resolvedAt,
    ...(publicUrl ? { url: `${publicUrl}/settings/alerts` } : {}),
  }
}

function codeOf(error: unknown): string {
  return error instanceof AppError ? error.code : 'E_UNEXPECTED'
}

/** For people who set it up: what happened, and what the other side said. */
function failureOf(error: unknown): Failure {
  if (error instanceof AppError)
    return { code: error.code, message: error.message.slice(0, 500), details: error.details ?? {} }
  const { message, cause } = error as Error
  const words = `${message}${cause instanceof Error ? `: ${cause.message}` : ''}`
  return { code: '', message: words.slice(0, 500), details: {} }
}
