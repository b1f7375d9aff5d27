import { randomUUID } from 'node:crypto'
import { type AppError, userError } from '@huitou/plugin-api'
import { isConsentEvent, type Sender, withSender } from './consent-events.ts'

/** A row for the log. */
export interface NewEvent {
  message_id: string
  source: string
  type: EventCall
  name: string | null
  ts: number
  received_at?: number
  version: number
  /** {@link EventBody} as JSON. */
  body: string
}

export type EventCall = 'track' | 'identify' | 'page' | 'screen' | 'group' | 'alias' | 'identity'

/** What of a message is kept. */
export interface EventBody {
  userId?: string
  anonymousId?: string
  previousId?: string
  groupId?: string
  externalIds?: { type: string; id: string }[]
  properties?: Record<string, unknown>
  traits?: Record<string, unknown>
  context?: Record<string, unknown>
}

export interface Receipt {
  source: string
  receivedAt: number
  /** The batch's `sentAt`, and what else it gives all its messages. */
  sentAt?: unknown
  context?: unknown
  /** Who sent the request; kept, as evidence, of consents only. */
  sender?: Sender
}

export const EVENT_LIMIT = 32 * 1_024
export const BATCH_LIMIT = 500 * 1_024
const MESSAGE_ID_LIMIT = 100
const NAME_LIMIT = 200
const ID_LIMIT = 512
/** A clock further ahead than this is wrong rather than early. */
const FUTURE_TOLERANCE = 24 * 3_600_000
const CALLS = new Set<string>(['track', 'identify', 'page', 'screen', 'group', 'alias'])
/** Parts of `context` that later stages read; the rest (screen size, library) only costs space. */
const CONTEXT_KEPT = ['page', 'campaign', 'locale', 'ip', 'channel', 'referrer', 'groupId', 'app'] as const

/**
 * Turns one message of the Segment protocol into a row for the log, or an error that says what is wrong with it.
 * The time is `receivedAt − (sentAt − originalTimestamp)`, so that a sender's wrong clock does no harm.
 */
export function normalizeMessage(message: unknown, receipt: Receipt): NewEvent | AppError {
  if (!isObject(message)) return userError('E_EVENT_NOT_OBJECT', 'An event must be a JSON object')
  const type = message['type']
  if (typeof type !== 'string' || !CALLS.has(type)) {
    return userError(
      'E_EVENT_TYPE',
      `Event type ${JSON.stringify(type)} is not one of ${[...CALLS].join(', ')}`,
    )
  }
  const body = toBody(message, receipt)
  const wrong = checkIds(type as EventCall, body) ?? checkSizes(message)
  if (wrong) return wrong
  const name = eventName(type as EventCall, message)
  if (name instanceof Error) return name
  const ts = eventTime(message, receipt)
  if (ts instanceof Error) return ts
  const json = storable(JSON.stringify(body))
  if (json.length > EVENT_LIMIT) {
    return userError(
      'E_EVENT_TOO_LARGE',
      `An event may hold ${EVENT_LIMIT / 1_024} KB, this one holds ${Math.ceil(json.length / 1_024)} KB`,
    )
  }
  const version = toTime(isObject(message['context']) ? message['context']['version'] : undefined)
  return {
    message_id:
      typeof message['messageId'] === 'string' && message['messageId']
        ? cleanText(message['messageId'])
        : randomUUID(),
    source: receipt.source,
    type: type as EventCall,
    name,
    ts,
    version: version ?? ts,
    body: json,
  }
}

function toBody(
  message: Record<string, unknown>,
  { context: batchContext, sender = {} }: Receipt,
): EventBody {
  const context = {
    ...(isObject(batchContext) ? batchContext : {}),
    ...(isObject(message['context']) ? message['context'] : {}),
  }
  const body: EventBody = {}
  for (const field of ['userId', 'anonymousId', 'previousId', 'groupId'] as const) {
    const value = message[field]
    if (typeof value === 'number' || (typeof value === 'string' && value.trim() !== ''))
      body[field] = String(value).trim()
  }
  const externalIds = toExternalIds(context['externalIds'])
  if (externalIds.length > 0) body.externalIds = externalIds
  if (isObject(message['properties'])) body.properties = message['properties']
  const traits = {
    ...(isObject(context['traits']) ? context['traits'] : {}),
    ...(isObject(message['traits']) ? message['traits'] : {}),
  }
  if (Object.keys(traits).length > 0) body.traits = traits
  const kept = Object.fromEntries(
    CONTEXT_KEPT.filter((key) => context[key] !== undefined).map((key) => [key, context[key]]),
  )
  if (Object.keys(kept).length > 0) body.context = kept
  return isConsentEvent(message['event']) ? withSender(body, context, sender) : body
}

function toExternalIds(value: unknown): { type: string; id: string }[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((entry: unknown) => {
    if (!isObject(entry) || typeof entry['type'] !== 'string') return []
    const id = entry['id']
    if (typeof id !== 'string' && typeof id !== 'number') return []
    return String(id).trim() === '' ? [] : [{ type: entry['type'], id: String(id).trim() }]
  })
}

function checkIds(type: EventCall, body: EventBody): AppError | undefined {
  if (!body.userId && !body.anonymousId && !body.externalIds) {
    return userError('E_EVENT_NO_ID', 'The event names nobody: it has neither userId nor anonymousId', {
      hint: 'Send userId (your own customer id), anonymousId, or context.externalIds.',
    })
  }
  if (type === 'alias' && !body.previousId)
    return userError('E_EVENT_NO_PREVIOUS_ID', 'An alias call needs previousId')
  if (type === 'group' && !body.groupId) return userError('E_EVENT_NO_GROUP_ID', 'A group call needs groupId')
  const long = [
    body.userId,
    body.anonymousId,
    body.previousId,
    ...(body.externalIds ?? []).map(({ id }) => id),
  ]
  if (long.some((id) => id !== undefined && id.length > ID_LIMIT)) {
    return userError('E_EVENT_ID_TOO_LONG', `An id may have ${ID_LIMIT} characters`)
  }
  return undefined
}

function checkSizes(message: Record<string, unknown>): AppError | undefined {
  const id = message['messageId']
  if (typeof id === 'string' && id.length > MESSAGE_ID_LIMIT) {
    return userError(
      'E_EVENT_MESSAGE_ID',
      `messageId may have ${MESSAGE_ID_LIMIT} characters, this one has ${id.length}`,
    )
  }
  return undefined
}

function eventName(type: EventCall, message: Record<string, unknown>): string | null | AppError {
  if (type === 'track') {
    const name = message['event']
    if (typeof name !== 'string' || name.trim() === '') {
      return userError('E_EVENT_NO_NAME', 'A track call needs the name of the event in "event"')
    }
    if (name.length > NAME_LIMIT)
      return userError('E_EVENT_NAME', `An event name may have ${NAME_LIMIT} characters`)
    return cleanText(name.trim())
  }
  const name = message['name']
  return (type === 'page' || type === 'screen') && typeof name === 'string'
    ? cleanText(name.slice(0, NAME_LIMIT))
    : null
}

function eventTime(message: Record<string, unknown>, { receivedAt, sentAt }: Receipt): number | AppError {
  const given = message['originalTimestamp'] ?? message['timestamp']
  const original = toTime(given)
  if (original === undefined) {
    if (given !== undefined && given !== null) {
      return userError('E_EVENT_TIME', `Cannot read the time ${JSON.stringify(given).slice(0, 60)}`, {
        hint: 'Send ISO 8601, for instance 2026-11-21T10:24:00+08:00.',
      })
    }
    return receivedAt
  }
  const sent = toTime(message['sentAt'] ?? sentAt)
  const time = sent === undefined ? original : receivedAt - (sent - original)
  return time > receivedAt + FUTURE_TOLERANCE ? receivedAt : Math.round(time)
}

/** Epoch milliseconds of an ISO text or a number of milliseconds. */
function toTime(value: unknown): number | undefined {
  if (typeof value === 'number')
    return Number.isFinite(value) && Math.abs(value) < 8.64e15 ? Math.round(value) : undefined
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d/.test(value)) return undefined
  const time = Date.parse(value)
  return Number.isNaN(time) ? undefined : time
}

/** Zero characters and halves of surrogate pairs are valid JSON, but no database text. */
function storable(json: string): string {
  return /\\u(?:0000|d[89a-f])/i.test(json) ? JSON.stringify(cleanValue(JSON.parse(json))) : json
}

function cleanValue(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value)
  if (Array.isArray(value)) return value.map(cleanValue)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), cleanValue(inner)]))
}

function cleanText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
