import type { EventBody } from './normalize.ts'

/** Events that say what a customer allows. `consent.*` name a `channel` and a `purpose`; without, all marketing. */
export const CONSENT_EVENTS = [
  'consent.granted',
  'consent.withdrawn',
  'message.unsubscribed',
  'message.complained',
  'email.unsubscribed',
] as const

const NAMES: ReadonlySet<unknown> = new Set(CONSENT_EVENTS)
const AGENT_LIMIT = 300
const ADDRESS_LIMIT = 60

/** What somebody held in hand when they agreed or refused; more of the program is not kept. */
export type AgentClass = 'mini_program' | 'wechat' | 'mobile' | 'desktop' | 'program'

export function isConsentEvent(name: unknown): boolean {
  return NAMES.has(name)
}

/** Who a request came from. */
export interface Sender {
  address?: string | undefined
  agent?: string | undefined
}

/** The body with where it came from, as far as the sender of the event does not say so itself. */
export function withSender(body: EventBody, given: Record<string, unknown>, sender: Sender): EventBody {
  const ip = textOf(given['ip'], ADDRESS_LIMIT) ?? textOf(sender.address, ADDRESS_LIMIT)
  const userAgent = textOf(given['userAgent'], AGENT_LIMIT) ?? textOf(sender.agent, AGENT_LIMIT)
  if (ip === undefined && userAgent === undefined) return body
  return { ...body, context: { ...body.context, ...(ip ? { ip } : {}), ...(userAgent ? { userAgent } : {}) } }
}

/**
 * The body of a consent as it may be kept: of the address a fingerprint that nobody can turn back without the key, or
 * nothing where there is no key, and of the program its class. What was made so before stays as it is.
 */
export function withoutSender(
  body: EventBody,
  fingerprint: ((text: string) => string) | undefined,
): EventBody {
  const { ip, userAgent, ...context } = body.context ?? {}
  if (ip === undefined && userAgent === undefined) return body
  const evidence = {
    ...(typeof ip === 'string' && fingerprint ? { ip: fingerprint(ip) } : {}),
    ...(typeof userAgent === 'string' ? { agent: agentClass(userAgent) } : {}),
  }
  return { ...body, context: { ...context, evidence } }
}

export function agentClass(userAgent: string): AgentClass {
  if (!/^Mozilla\//.test(userAgent) || /bot\b|crawl|spider|headless/i.test(userAgent)) return 'program'
  if (/miniProgram/i.test(userAgent)) return 'mini_program'
  if (/MicroMessenger/i.test(userAgent)) return 'wechat'
  return /Mobile|Android|iPhone|iPad/i.test(userAgent) ? 'mobile' : 'desktop'
}

function textOf(value: unknown, limit: number): string | undefined {
  return typeof value === 'string' && value !== '' && value !== 'unknown' ? value.slice(0, limit) : undefined
}
