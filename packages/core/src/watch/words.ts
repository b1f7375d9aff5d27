import type { Mail } from '../settings/send-mail.ts'
import type { Notice } from './notices.ts'
import type { Target } from './targets.ts'

export const markOf = (state: Notice['state']) => (state === 'raised' ? '⚠' : '✓')

const WORDS = {
  en: {
    began: (count: number) => (count === 1 ? '1 alert' : `${count} alerts`),
    over: 'over',
    since: 'Since',
    until: 'Over since',
    urgent: 'Urgent',
    more: (count: number) => `… and ${count} more`,
    test: 'This is a test. Whoever reads it is told of alerts of Huitou here.',
    foot: 'Who is told of what is set under Settings → Alerts.',
  },
  'zh-CN': {
    began: (count: number) => `${count} 条告警`,
    over: '已恢复',
    since: '开始于',
    until: '恢复于',
    urgent: '紧急',
    more: (count: number) => `…… 另有 ${count} 条`,
    test: '这是一条测试消息。收到它，说明 Huitou 的告警可以送达这里。',
    foot: '在「设置 → 告警」中可更改通知对象。',
  },
}

/** Who speaks, in which language and by which clock. */
export interface Voice {
  locale: Target['locale']
  brandName: string
  publicUrl: string
  timeZone: string
}

/** A mail that says everything in its subject where there is only one thing to say. */
export function toMail(notices: readonly Notice[], voice: Voice): Pick<Mail, 'subject' | 'text'> {
  const words = WORDS[voice.locale]
  const parts = notices.map((notice) => whole(notice, voice))
  return {
    subject: `${nameOf(voice)} ${sumUp(notices, voice)}`.replaceAll(/\s+/g, ' '),
    text: [...parts, ...linkOf(voice), words.foot].join('\n\n'),
  }
}

/**
 * A message for a chat group of at most so many bytes: everything, or else the titles only, or else as many of these as
 * find room and how many more there are. Begins with `[Huitou`, which robots may ask for as their keyword.
 */
export function toChat(notices: readonly Notice[], voice: Voice, bytes: number): string {
  const head = notices.length === 1 ? nameOf(voice) : `${nameOf(voice)} ${sumUp(notices, voice)}`
  const join = (parts: readonly string[], gap: string) =>
    [head, parts.join(gap), ...linkOf(voice)].join(gap === '\n' ? '\n' : '\n\n')
  const all = join(
    notices.map((notice) => whole(notice, voice)),
    '\n\n',
  )
  if (Buffer.byteLength(all) <= bytes) return all
  const titles = notices.map((notice) => titleOf(notice, voice))
  for (let shown = titles.length; shown > 0; shown--) {
    const rest = titles.length - shown
    const more = rest > 0 ? [WORDS[voice.locale].more(rest)] : []
    const text = join([...titles.slice(0, shown), ...more], '\n')
    if (Buffer.byteLength(text) <= bytes) return text
  }
  return cut(join([titles[0] ?? ''], '\n'), bytes)
}

/** What a test says. */
export function toTest(voice: Voice): string {
  return [`${nameOf(voice)} ${WORDS[voice.locale].test}`, ...linkOf(voice)].join('\n')
}

function nameOf({ brandName }: Voice): string {
  return `[${brandName === '' ? 'Huitou' : `Huitou ${brandName}`}]`
}

const linkOf = ({ publicUrl }: Voice) => (publicUrl ? [`${publicUrl}/settings/alerts`] : [])

/** The one thing there is to say, or how many there are. */
function sumUp(notices: readonly Notice[], { locale }: Voice): string {
  const words = WORDS[locale]
  const [first] = notices as [Notice]
  if (notices.length === 1)
    return `${markOf(first.state)} ${first.state === 'resolved' ? `${words.over}: ` : ''}${first.alert.title[locale]}`
  const begun = notices.filter(({ state }) => state === 'raised').length
  return [
    ...(begun > 0 ? [`⚠ ${words.began(begun)}`] : []),
    ...(begun < notices.length ? [`✓ ${notices.length - begun} ${words.over}`] : []),
  ].join(' · ')
}

function titleOf({ alert, state }: Notice, { locale }: Voice): string {
  const words = WORDS[locale]
  const urgent = alert.severity === 'critical' && state === 'raised' ? ` [${words.urgent}]` : ''
  return `${markOf(state)} ${alert.title[locale]}${urgent}`
}

function whole(notice: Notice, voice: Voice): string {
  const { locale, timeZone } = voice
  const { advice, raisedAt, resolvedAt } = notice.alert
  const time = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'long', timeZone })
  const title = titleOf(notice, voice)
  if (notice.state === 'resolved')
    return `${title}\n${WORDS[locale].until} ${time.format(resolvedAt ?? raisedAt)}`
  return `${title}\n${WORDS[locale].since} ${time.format(raisedAt)}\n${advice[locale]}`
}

/** As much of it as has room, ending with whole characters. */
function cut(text: string, bytes: number): string {
  let room = bytes - Buffer.byteLength('…')
  let kept = ''
  for (const character of text) {
    room -= Buffer.byteLength(character)
    if (room < 0) return `${kept}…`
    kept += character
  }
  return kept
}
