import type { LookUpResult } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { transact, type Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { findAccount } from './accounts.ts'
import { releaseTouches } from './ledger.ts'
import { appendMessageEvents } from './message-events.ts'
import { findAddress, readPeople } from '../journeys/people.ts'
import type { StoredDelivery } from './next-messages.ts'
import { toAnswer } from './poll-accounts.ts'
import { recordReceipts } from './receipts.ts'
import { CALL_MS, type DeliveryContext, openSettings } from './worker-context.ts'

const BATCH = 200
const LONGEST_PAUSE = 3_600_000
/** After this nobody asks any more; a receipt or a person may still tell. */
const GIVE_UP_AFTER = 7 * 86_400_000
/** Who has not read a message that arrived by then hardly will. */
const READ_WITHIN = 3 * 86_400_000

/**
 * Rows whose lease ran out: their worker died between the call and the record. They are unknown, and only a channel
 * or an action that remembers keys gets them again by itself. Returns how many there were.
 */
export async function expireLeases({ database, clock, points }: DeliveryContext): Promise<number> {
  const now = clock.now()
  const expired = await database.db
    .selectFrom('deliveries')
    .select('id')
    .where('state', '=', 'leased')
    .where('leased_until', '<=', now)
    .limit(1)
    .executeTakeFirst()
  if (!expired) return 0
  const repeatable = [
    ...points.channels.list().filter(({ value }) => value.idempotent),
    ...points.actions.list().filter(({ value }) => value.idempotent),
  ].map(({ id }) => id)
  return await transact(database.db, async (tx) => {
    const rows = await tx
      .updateTable('deliveries')
      .set({
        state: sql`case when channel in (${repeatable.length > 0 ? sql.join(repeatable) : sql`''`}) then 'planned' else 'unknown' end`,
        reason: 'no_answer',
        leased_until: null,
        poll_at: sql`case when channel in (${repeatable.length > 0 ? sql.join(repeatable) : sql`''`}) then null else cast(${now} as bigint) end`,
        updated_at: now,
      })
      .where('state', '=', 'leased')
      .where('leased_until', '<=', now)
      .returning(['id', 'state', 'customer_id', 'channel', 'used_account', 'touch_day'])
      .execute()
    await releaseTouches(
      tx,
      rows.filter(({ state }) => state === 'planned'),
    )
    await insertRows(tx, 'delivery_events', {
      rows: rows.map(({ id, state }) => ({
        delivery_id: id,
        at: now,
        kind: state === 'unknown' ? 'unknown' : 'retry',
        reason: 'no_answer',
      })),
      columns: { delivery_id: 'integer', at: 'integer', kind: 'text', reason: 'text' },
    })
    return rows.length
  })
}

/** Takes messages that channels are to be asked about, by account: those whose end is not known yet. */
export async function takeDuePolls({
  database,
  clock,
  points,
}: DeliveryContext): Promise<StoredDelivery[][]> {
  const now = clock.now()
  const due = await database.db
    .selectFrom('deliveries')
    .selectAll()
    .where('poll_at', '<=', now)
    .orderBy('poll_at')
    .limit(BATCH)
    .execute()
  if (due.length === 0) return []
  /** Of what has arrived, only what its channel may still tell is worth asking after: that somebody read it. */
  const isOver = ({ channel, state }: StoredDelivery) =>
    (state === 'delivered' || state === 'read') &&
    !points.channels.find(channel)?.value.receipts?.some((kind) => kind === 'read' || kind === 'clicked')
  // The next time is written first: whoever dies while asking is not asked again at once.
  await transact(database.db, (tx) => postpone(tx, { due, isOver, now }))
  const asked = due.filter((row) => !isOver(row))
  return [...Map.groupBy(asked, ({ channel, account }) => `${channel} ${account}`).values()]
}

async function postpone(
  tx: Tx,
  { due, isOver, now }: { due: StoredDelivery[]; isOver: (row: StoredDelivery) => boolean; now: number },
): Promise<void> {
  for (const row of due) {
    const since = now - (row.sent_at ?? row.updated_at)
    const isArrived = row.state === 'delivered' || row.state === 'read'
    const next =
      since > (isArrived ? READ_WITHIN : GIVE_UP_AFTER) || isOver(row)
        ? null
        : now + Math.min(Math.max(60_000, since), LONGEST_PAUSE)
    await tx.updateTable('deliveries').set({ poll_at: next }).where('id', '=', row.id).execute()
  }
}

/** Asks about messages of one account, which `takeDuePolls` gave. */
export async function pollMessages(context: DeliveryContext, rows: readonly StoredDelivery[]): Promise<void> {
  const { channel } = rows[0] as StoredDelivery
  const contribution = context.points.channels.find(channel)
  if (!contribution) return
  try {
    await ask(context, rows, contribution.value.run)
  } catch (error) {
    context.log.warn({ channel, error: String(error) }, 'A channel could not be asked; it is asked again')
  }
}

type Channel = ReturnType<DeliveryContext['points']['channels']['list']>[number]['value']['run']

async function ask(context: DeliveryContext, rows: readonly StoredDelivery[], run: Channel): Promise<void> {
  const { database, clock, box } = context
  const { channel, account: wanted } = rows[0] as StoredDelivery
  const account = await transact(database.db, (tx) => findAccount(tx, channel, wanted, clock.now()))
  if (!account) return
  const settings = openSettings(box, account.settings)
  const call = () => ({ now: clock.now(), signal: AbortSignal.timeout(CALL_MS) })
  const pending = rows.flatMap(({ key, provider_id }) =>
    provider_id === null ? [] : [{ key, providerId: provider_id }],
  )
  if (pending.length > 0 && run.poll) {
    const { receipts } = toAnswer(await run.poll({ settings, pending }, call()))
    await transact(database.db, (tx) => recordReceipts(tx, { channel, receipts, now: clock.now() }))
  }
  const lost = rows.filter(({ state, provider_id }) => state === 'unknown' && provider_id === null)
  if (lost.length === 0 || !run.lookUp) return
  const people = await readPeople(
    database.db,
    lost.map(({ customer_id }) => customer_id),
  )
  const declaration = context.points.channels.find(channel)?.value
  const messages = lost.map((row) => {
    const person = people.get(row.customer_id)
    const address = (person && declaration && findAddress(person, declaration.address)) ?? ''
    return { key: row.key, address, at: row.updated_at }
  })
  const answers = await run.lookUp({ settings, messages }, call())
  await transact(database.db, (tx) => settle(tx, { rows: lost, answers, now: clock.now() }))
}

/** What a channel, or a person, found out about messages whose fate was unknown. Only those are changed. */
export async function settle(
  tx: Tx,
  { rows, answers, now }: { rows: readonly StoredDelivery[]; answers: readonly LookUpResult[]; now: number },
): Promise<number> {
  const people = await readPeople(
    tx,
    rows.map(({ customer_id }) => customer_id),
  )
  let settled = 0
  for (const answer of answers) {
    const row = rows.find(({ key }) => key === answer.key)
    if (!row || answer.outcome === 'unknown') continue
    const state = answer.outcome === 'absent' ? 'planned' : answer.outcome
    const { numUpdatedRows } = await tx
      .updateTable('deliveries')
      .set({
        state,
        reason: answer.outcome === 'absent' ? 'retry' : null,
        ...('providerId' in answer && answer.providerId ? { provider_id: answer.providerId } : {}),
        sent_at: answer.outcome === 'absent' ? null : (row.sent_at ?? now),
        poll_at: 'providerId' in answer && answer.providerId ? now + 60_000 : null,
        updated_at: now,
      })
      .where('id', '=', row.id)
      .where('state', '=', 'unknown')
      .executeTakeFirst()
    if (Number(numUpdatedRows) === 0) continue
    settled++
    if (answer.outcome === 'absent') await releaseTouches(tx, [row])
    await tx
      .insertInto('delivery_events')
      .values({
        delivery_id: row.id,
        at: now,
        kind: answer.outcome === 'absent' ? 'retry' : answer.outcome,
        reason: 'looked_up',
        details: null,
        receipt_key: null,
      })
      .execute()
    const person = people.get(row.customer_id)
    if (person && answer.outcome === 'sent')
      await appendMessageEvents(
        tx,
        [{ id: `${row.key}:sent`, name: 'message.sent', at: now, person, delivery: row }],
        now,
      )
  }
  return settled
}
