import type { Channel, ConfirmRequest, WithdrawResult } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { transact, type Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { findAccount } from './accounts.ts'
import { readPeople } from '../journeys/people.ts'
import { releaseTouches } from './ledger.ts'
import { appendMessageEvents } from './message-events.ts'
import type { StoredDelivery } from './next-messages.ts'
import { CALL_MS, type DeliveryContext, openSettings } from './worker-context.ts'

const BATCH = 200
const HOUR = 3_600_000
/** More often a platform lets nobody be reminded. */
const REMINDERS = 3
const DAY = 24 * HOUR
/** So many people are asked to confirm a message, one after the other. */
const ASKED = 3
/** Far enough away to be never. */
const NEVER = 8_640_000_000_000_000

interface Plan {
  remindAfter: number
  reassignAfter: number
}

/**
 * Messages that wait for somebody's confirmation: who has to give it is reminded, at most three times in 24 hours; then
 * the message is taken back and somebody else is asked. The count is written before the call, so that a crash costs a
 * reminder and never makes one too many. Returns how many messages were looked at.
 */
export async function urgeConfirmations(context: DeliveryContext): Promise<number> {
  const { database, clock, points } = context
  const now = clock.now()
  const due = await transact(database.db, async (tx) => {
    const rows = await readDue(tx, now)
    for (const row of rows) await noteNext(tx, row, { plan: planOf(context, row.channel), now })
    return rows
  })
  for (const group of Map.groupBy(due, ({ channel, account }) => `${channel} ${account}`).values()) {
    const { channel } = group[0] as StoredDelivery
    const entry = points.channels.find(channel)
    const plan = planOf(context, channel)
    if (!entry || !plan) continue
    try {
      await urge(context, { rows: group, plan, run: entry.value.run })
    } catch (error) {
      context.log.warn({ channel, error: String(error) }, 'Nobody could be reminded; it is tried again')
    }
  }
  return due.length
}

async function readDue(tx: Tx, now: number): Promise<StoredDelivery[]> {
  return await tx
    .selectFrom('deliveries')
    .selectAll()
    .where('state', '=', 'pending')
    .where(sql<boolean>`coalesce(remind_at, 0) <= ${now}`)
    .orderBy(sql`coalesce(remind_at, 0)`)
    .limit(BATCH)
    .execute()
}

function planOf({ points }: DeliveryContext, channel: string): Plan | undefined {
  const declaration = points.channels.find(channel)?.value
  if (declaration?.guarantee !== 'confirmed') return undefined
  const { remindAfterHours = 4, reassignAfterHours = 24 } = declaration.confirm ?? {}
  // Three reminders fit into a day, and no more.
  const remindAfter = Math.max(remindAfterHours * HOUR, DAY / 24)
  return { remindAfter, reassignAfter: Math.max(reassignAfterHours * HOUR, remindAfter) }
}

type Urgency = 'none' | 'remind' | 'withdraw'

/** What a message is due for; one that has only just come here is only noted. */
function urgencyOf(row: StoredDelivery, plan: Plan, now: number): Urgency {
  if (row.remind_at === null || row.remind_at > now || row.sent_at === null) return 'none'
  if (now - row.sent_at >= plan.reassignAfter) return 'withdraw'
  return row.reminders < REMINDERS ? 'remind' : 'none'
}

async function noteNext(
  tx: Tx,
  row: StoredDelivery,
  { plan, now }: { plan: Plan | undefined; now: number },
): Promise<void> {
  const since = row.sent_at ?? now
  const urgency = plan ? urgencyOf(row, plan, now) : 'none'
  const reminders = row.reminders + (urgency === 'remind' ? 1 : 0)
  const next = () => {
    if (!plan) return NEVER
    if (urgency === 'withdraw') return now + HOUR
    const last = since + plan.reassignAfter
    if (row.remind_at === null) return Math.min(Math.max(since + plan.remindAfter, now), last)
    return reminders < REMINDERS ? Math.min(now + plan.remindAfter, last) : last
  }
  await tx
    .updateTable('deliveries')
    .set({ remind_at: Math.max(next(), now + 1), reminders })
    .where('id', '=', row.id)
    .where('state', '=', 'pending')
    .execute()
  if (urgency === 'remind')
    await insertRows(tx, 'delivery_events', {
      rows: [{ delivery_id: row.id, at: now, kind: 'reminded', reason: null, details: null }],
      columns: { delivery_id: 'integer', at: 'integer', kind: 'text', reason: 'text', details: 'text' },
    })
}

async function urge(
  context: DeliveryContext,
  { rows, plan, run }: { rows: readonly StoredDelivery[]; plan: Plan; run: Channel },
): Promise<void> {
  const { database, clock, box } = context
  const { channel, account: wanted } = rows[0] as StoredDelivery
  const now = clock.now()
  const account = await transact(database.db, (tx) => findAccount(tx, channel, wanted, now))
  if (!account) return
  const settings = openSettings(box, account.settings)
  const call = () => ({ now, signal: AbortSignal.timeout(CALL_MS) })
  const requestOf = (urgency: Urgency): ConfirmRequest => ({
    settings,
    pending: rows
      .filter((row) => urgencyOf(row, plan, now) === urgency)
      .flatMap(({ key, provider_id }) => (provider_id === null ? [] : [{ key, providerId: provider_id }])),
  })
  const reminded = requestOf('remind')
  if (reminded.pending.length > 0) await run.remind?.(reminded, call())
  const withdrawn = requestOf('withdraw')
  if (withdrawn.pending.length === 0 || !run.withdraw) return
  const results = await run.withdraw(withdrawn, call())
  await transact(database.db, (tx) => reassign(tx, { rows, results, now }))
}

/** What was taken back goes out once more, to be confirmed by somebody else; after some who did not, it is given up. */
async function reassign(
  tx: Tx,
  {
    rows,
    results,
    now,
  }: { rows: readonly StoredDelivery[]; results: readonly WithdrawResult[]; now: number },
): Promise<void> {
  const people = await readPeople(
    tx,
    rows.map(({ customer_id }) => customer_id),
  )
  for (const { key, outcome } of results) {
    const row = rows.find((each) => each.key === key)
    if (!row || outcome === 'unknown') continue
    const isLast = row.attempts >= ASKED
    const change =
      outcome === 'sent'
        ? { state: 'sent' as const, poll_at: now, remind_at: null }
        : {
            state: isLast ? ('refused' as const) : ('planned' as const),
            reason: 'unconfirmed',
            due_at: now,
            provider_id: null,
            sent_at: null,
            poll_at: null,
            remind_at: null,
            reminders: 0,
          }
    const { numUpdatedRows } = await tx
      .updateTable('deliveries')
      .set({ ...change, updated_at: now })
      .where('id', '=', row.id)
      // A receipt may have been quicker.
      .where('state', '=', 'pending')
      .executeTakeFirst()
    if (Number(numUpdatedRows) === 0) continue
    if (outcome === 'withdrawn') await releaseTouches(tx, [row])
    const person = isLast && outcome === 'withdrawn' ? people.get(row.customer_id) : undefined
    if (person)
      await appendMessageEvents(
        tx,
        [
          {
            id: `${row.key}:refused`,
            name: 'message.refused',
            at: now,
            person,
            delivery: row,
            more: { reason: 'unconfirmed' },
          },
        ],
        now,
      )
    const kind = outcome === 'sent' ? 'sent' : isLast ? 'refused' : 'reassigned'
    await insertRows(tx, 'delivery_events', {
      rows: [{ delivery_id: row.id, at: now, kind, reason: 'unconfirmed', details: null }],
      columns: { delivery_id: 'integer', at: 'integer', kind: 'text', reason: 'text', details: 'text' },
    })
  }
}
