import type { DeliveryResult } from '@huitou/plugin-api'
import { transact, type Tx } from '../db/database.ts'
import { insertRows, updateRows } from '../db/insert-rows.ts'
import { isOneOf } from '../db/rows.ts'
import { countFailure, countSuccess } from './accounts.ts'
import { CONTACT_COLUMNS, NO_CONTACT } from './contact-counts.ts'
import { addTouches, heldDay } from './ledger.ts'
import { appendMessageEvents } from './message-events.ts'
import type { Prepared } from './prepare.ts'
import { type DeadAddress, markUndeliverable } from './reachability.ts'
import { applyEarlyReceipts } from './receipts.ts'
import type { DeliveryState } from './tables.ts'
import { ATTEMPTS, backOff, type DeliveryContext } from './worker-context.ts'

/** What a call of a channel came to. */
export type CallOutcome =
  | { results: DeliveryResult[] }
  /** Nothing of the batch went out. */
  | { failed: string }
  /** Nobody knows what went out. */
  | { lost: string }

interface Outcome {
  state: DeliveryState
  reason: string | null
  details: string | null
  due_at: number
  provider_id: string | null
  poll_at: number | null
  sent_at: number | null
  attempts: number
  /** Whether the customer's slot is given back. */
  release: boolean
}

/** First look at what became of a message whose answer was lost; providers take a moment to know themselves. */
const LOOK_UP_AFTER = 30_000
const POLL_AFTER = 60_000

type Leased = Prepared['leased'][number]

/**
 * Writes what a call came to. A row that another worker has taken over meanwhile, because this one was thought dead,
 * is left to that one.
 */
export async function recordOutcome(
  context: DeliveryContext,
  prepared: Prepared,
  outcome: CallOutcome,
): Promise<void> {
  const { database, clock, points } = context
  const now = clock.now()
  const channel = points.channels.find(prepared.account.channel)?.value
  const run = channel?.run
  // What is polled by account tells of all messages at once.
  const poll = channel?.pollSeconds === undefined ? run?.poll : undefined
  const results = new Map('results' in outcome ? outcome.results.map((result) => [result.key, result]) : [])
  await transact(database.db, async (tx) => {
    const mine = await stillMine(tx, prepared)
    if (mine.length === 0) return
    const retryAt = await countCall(tx, prepared, { now, outcome })
    const decided = mine.map((leased) => {
      const result = results.get(leased.row.key)
      const told = toOutcome(leased, 'failed' in outcome ? undefined : result, { now, retryAt })
      const polls = Boolean(told.state === 'unknown' ? (run?.lookUp ?? poll) : poll)
      return { ...leased, result, outcome: polls ? told : { ...told, poll_at: null } }
    })
    await updateRows(tx, 'deliveries', {
      rows: decided.map(({ row, touch, outcome: { release, ...told } }) => ({
        id: row.id,
        ...told,
        leased_until: null,
        touch_day: release ? null : heldDay(touch),
        updated_at: now,
      })),
      columns: {
        id: 'integer',
        state: 'text',
        reason: 'text',
        details: 'text',
        due_at: 'integer',
        provider_id: 'text',
        poll_at: 'integer',
        sent_at: 'integer',
        attempts: 'integer',
        leased_until: 'integer',
        touch_day: 'integer',
        updated_at: 'integer',
      },
      key: 'id',
    })
    await addTouches(
      tx,
      decided
        .filter(({ outcome: { release } }) => release)
        .map(({ touch }) => ({ ...touch, count: -touch.count })),
    )
    const sent = decided.filter(({ outcome: { sent_at } }) => sent_at !== null)
    await countSent(
      tx,
      sent.filter(({ row }) => row.purpose !== 'test'),
      now,
    )
    await markUndeliverable(tx, decided.flatMap(deadAddressOf(now)))
    await writeHistory(tx, decided, now)
    await applyEarlyReceipts(
      tx,
      sent.flatMap(({ row, outcome: { provider_id } }) =>
        provider_id === null ? [] : [{ channel: row.channel, provider_id }],
      ),
      now,
    )
  })
}

async function stillMine(tx: Tx, { leased, token }: Prepared): Promise<Leased[]> {
  const ids = leased.map(({ row }) => row.id)
  const rows = await tx
    .selectFrom('deliveries')
    .select('id')
    .where(isOneOf(tx, 'id', ids))
    .where('lease_token', '=', token)
    .where('state', 'in', ['leased', 'unknown'])
    .execute()
  const mine = new Set(rows.map(({ id }) => id))
  return leased.filter(({ row }) => mine.has(row.id))
}

/** The breaker counts calls, not messages: one bad address says nothing about the provider. */
async function countCall(
  tx: Tx,
  { account }: Prepared,
  { now, outcome }: { now: number; outcome: CallOutcome },
): Promise<number> {
  if ('failed' in outcome) return await countFailure(tx, account.id, { now, error: outcome.failed })
  if ('lost' in outcome) return await countFailure(tx, account.id, { now, error: outcome.lost })
  const { results } = outcome
  const first = results.find((result) => result.outcome === 'failed')
  if (first && results.every((result) => result.outcome === 'failed' || result.outcome === 'unknown'))
    return await countFailure(tx, account.id, { now, error: 'message' in first ? String(first.message) : '' })
  await countSuccess(tx, account)
  return now
}

function toOutcome(
  { row }: Leased,
  result: DeliveryResult | undefined,
  { now, retryAt }: { now: number; retryAt: number },
): Outcome {
  const base = { details: null, due_at: row.due_at, provider_id: null, poll_at: null, sent_at: null }
  const attempts = row.attempts + 1
  if (!result) {
    // Thrown by the channel: not one of the batch went out, and it was not the message's fault.
    if (retryAt > now)
      return {
        ...base,
        state: 'planned',
        reason: 'channel_failed',
        due_at: retryAt,
        attempts: row.attempts,
        release: true,
      }
    return unknown('no_answer')
  }
  switch (result.outcome) {
    case 'sent':
    case 'pending':
      return {
        ...base,
        state: result.outcome,
        reason: null,
        provider_id: result.providerId ?? null,
        poll_at: result.providerId === undefined ? null : now + POLL_AFTER,
        sent_at: now,
        attempts,
        release: false,
      }
    case 'unknown':
      return unknown(result.message ?? 'no_answer')
    case 'refused': {
      const details = JSON.stringify({ code: result.code, message: result.message.slice(0, 500) })
      return { ...base, state: 'refused', reason: 'provider', details, attempts, release: true }
    }
    case 'failed': {
      const details = JSON.stringify({ code: result.code, message: result.message.slice(0, 500) })
      const due_at = Math.max(result.retryAt ?? 0, now + backOff(attempts), retryAt)
      const isLast = attempts >= ATTEMPTS || (row.expires_at !== null && due_at >= row.expires_at)
      return isLast
        ? { ...base, state: 'dead', reason: 'attempts', details, attempts, release: true }
        : { ...base, state: 'planned', reason: 'retry', details, due_at, attempts, release: true }
    }
    default:
      return unknown('odd_answer')
  }

  function unknown(message: string): Outcome {
    const details = JSON.stringify({ message: message.slice(0, 500) })
    return {
      ...base,
      state: 'unknown',
      reason: 'no_answer',
      details,
      poll_at: now + LOOK_UP_AFTER,
      attempts,
      release: false,
    }
  }
}

type Decided = Leased & { outcome: Outcome; result: DeliveryResult | undefined }

/** What a provider said at once of an address that is none. */
function deadAddressOf(at: number): (decided: Decided) => DeadAddress[] {
  return ({ row, person, result }) =>
    row.purpose !== 'test' && result?.outcome === 'refused' && result.permanent === true
      ? [{ person, channel: row.channel, at }]
      : []
}

async function countSent(tx: Tx, sent: readonly Decided[], now: number): Promise<void> {
  const counts = new Map<string, { customer_id: number; channel: string; sent: number }>()
  for (const { row, person } of sent) {
    const key = `${person.id} ${row.channel}`
    const known = counts.get(key)
    if (known) known.sent++
    else counts.set(key, { customer_id: person.id, channel: row.channel, sent: 1 })
  }
  await insertRows(tx, 'contact_channels', {
    rows: [...counts.values()]
      .toSorted((a, b) => a.customer_id - b.customer_id)
      .map((count) => ({
        ...NO_CONTACT,
        ...count,
        unopened: count.sent,
        last_sent_at: now,
      })),
    columns: {
      ...CONTACT_COLUMNS,
      last_sent_at: 'integer',
    },
    conflict: {
      columns: ['customer_id', 'channel'],
      then: { add: ['sent', 'unopened'], set: ['last_sent_at'] },
    },
  })
}

async function writeHistory(tx: Tx, decided: readonly Decided[], now: number): Promise<void> {
  await insertRows(tx, 'delivery_events', {
    rows: decided.map(({ row, outcome }) => ({
      delivery_id: row.id,
      at: now,
      kind: outcome.state === 'planned' ? 'retry' : outcome.state,
      reason: outcome.reason,
      details: outcome.details,
    })),
    columns: { delivery_id: 'integer', at: 'integer', kind: 'text', reason: 'text', details: 'text' },
  })
  await appendMessageEvents(
    tx,
    decided.flatMap(({ row, person, outcome }) => {
      if (outcome.state === 'sent')
        return [{ id: `${row.key}:sent`, name: 'message.sent', at: now, person, delivery: row }]
      if (outcome.state === 'refused' || outcome.state === 'dead')
        return [
          {
            id: `${row.key}:refused`,
            name: 'message.refused',
            at: now,
            person,
            delivery: row,
            more: { reason: outcome.reason },
          },
        ]
      return []
    }),
    now,
  )
}
