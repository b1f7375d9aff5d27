import { AppError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { type MailSettings, noMailServer } from '../settings/mail-server.ts'
import { type Mail, sendMail } from '../settings/send-mail.ts'
import { dueNotices, type Notice, noteTold } from './notices.ts'
import { targetsOf, type Target, wayOf, WEBHOOK } from './targets.ts'
import { type AlertSettings, readAlertSettings } from './thresholds.ts'

export type TellDeps = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'log'> & { mail: MailSettings }

const WEBHOOK_MS = 10_000

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
      error: error === undefined ? undefined : wordsOf(error),
    })
  }
}

interface Telling {
  target: Target
  notices: readonly Notice[]
  settings: AlertSettings
}

async function tell(deps: TellDeps, { target, notices, settings }: Telling): Promise<void> {
  const { brandName, publicUrl = '', timeZone } = await deps.brand()
  if (target.id === WEBHOOK) return await post(settings.webhook, toBody(notices, publicUrl))
  const server = await deps.mail.find()
  if (!server) throw noMailServer()
  const { subject, text } = toMail(notices, { locale: target.locale, brandName, publicUrl, timeZone })
  await sendMail(server, { to: target.id.slice('mail:'.length), subject, text })
}

async function post(address: string, body: object): Promise<void> {
  const answer = await fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(WEBHOOK_MS),
    redirect: 'manual',
  })
  await answer.body?.cancel()
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
}

/** Chat programs show `text`; programs read the rest. Of one alert everything stands at the top as well. */
function toBody(notices: readonly Notice[], url: string): object {
  const messages = notices.map((notice) => toMessage(notice, url))
  const text = messages.map((message) => message.text).join('\n')
  return { ...(messages.length === 1 ? messages[0] : {}), text, alerts: messages }
}

function toMessage({ alert, state }: Notice, url: string) {
  const { id, kind, subject, severity, title, advice, raisedAt, resolvedAt } = alert
  return {
    text: `${markOf(state)} ${title.en} / ${title['zh-CN']}`,
    state,
    id,
    kind,
    subject,
    severity,
    title,
    advice,
    raisedAt,
    resolvedAt: state === 'raised' ? null : resolvedAt,
    ...(url ? { url: `${url}/settings/alerts` } : {}),
  }
}

const markOf = (state: Notice['state']) => (state === 'raised' ? '⚠' : '✓')

const WORDS = {
  en: {
    began: (count: number) => (count === 1 ? '1 alert' : `${count} alerts`),
    over: 'over',
    since: 'Since',
    until: 'Over since',
    urgent: 'Urgent',
    foot: 'Who is told of what is set under Settings → Alerts.',
  },
  'zh-CN': {
    began: (count: number) => `${count} 条告警`,
    over: '已恢复',
    since: '开始于',
    until: '恢复于',
    urgent: '紧急',
    foot: '在「设置 → 告警」中可更改通知对象。',
  },
}

/** A mail that says everything in its subject where there is only one thing to say. */
export function toMail(
  notices: readonly Notice[],
  {
    locale,
    brandName,
    publicUrl,
    timeZone,
  }: { locale: Target['locale']; brandName: string; publicUrl: string; timeZone: string },
): Pick<Mail, 'subject' | 'text'> {
  const words = WORDS[locale]
  const name = brandName === '' ? 'Huitou' : `Huitou ${brandName}`
  const time = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'long', timeZone })
  const [first] = notices as [Notice]
  const begun = notices.filter(({ state }) => state === 'raised').length
  const subject =
    notices.length === 1
      ? `${markOf(first.state)} ${first.state === 'resolved' ? `${words.over}: ` : ''}${first.alert.title[locale]}`
      : [
          ...(begun > 0 ? [`⚠ ${words.began(begun)}`] : []),
          ...(begun < notices.length ? [`✓ ${notices.length - begun} ${words.over}`] : []),
        ].join(' · ')
  const parts = notices.map(({ alert, state }) => {
    const { title, advice, severity, raisedAt, resolvedAt } = alert
    const urgent = severity === 'critical' && state === 'raised' ? ` [${words.urgent}]` : ''
    const when =
      state === 'raised'
        ? `${words.since} ${time.format(raisedAt)}`
        : `${words.until} ${time.format(resolvedAt ?? raisedAt)}`
    return [
      `${markOf(state)} ${title[locale]}${urgent}`,
      when,
      ...(state === 'raised' ? [advice[locale]] : []),
    ].join('\n')
  })
  const link = publicUrl ? [`${publicUrl}/settings/alerts`] : []
  return {
    subject: `[${name}] ${subject}`.replaceAll(/\s+/g, ' '),
    text: [...parts, ...link, words.foot].join('\n\n'),
  }
}

function codeOf(error: unknown): string {
  return error instanceof AppError ? error.code : 'E_UNEXPECTED'
}

/** For people who set it up: the code and what the other side said. */
function wordsOf(error: unknown): string {
  if (error instanceof AppError) return `${error.code}: ${error.message}`.slice(0, 500)
  const { message, cause } = error as Error
  return `${message}${cause instanceof Error ? `: ${cause.message}` : ''}`.slice(0, 500)
}
