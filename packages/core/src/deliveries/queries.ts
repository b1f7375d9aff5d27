import { notFound, userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { readCursor } from '../db/cursor.ts'
import { type Db, transact } from '../db/database.ts'
import { findEntry, toDetails } from './delivery-log.ts'
import { releaseTouches } from './ledger.ts'
import { settle } from './reconcile.ts'

type Context = Pick<CoreContext, 'database' | 'clock'>

export async function getDelivery(db: Db, id: number) {
  const entry = await findEntry(db, id)
  if (!entry) throw notFound('Delivery', id)
  const history = await db
    .selectFrom('delivery_events')
    .select(['at', 'kind', 'reason', 'details'])
    .where('delivery_id', '=', id)
    .orderBy('id')
    .execute()
  return { ...entry, history: history.map((event) => ({ ...event, details: toDetails(event.details) })) }
}

/**
 * Puts dead letters in line again, all of them or those named. Only what was given up on: what was refused, or may
 * have arrived, is never sent by this. Returns how many.
 */
export async function replayDead(
  { database, clock }: Context,
  { ids, channel }: { ids?: readonly number[] | undefined; channel?: string | undefined },
): Promise<number> {
  const now = clock.now()
  return await transact(database.db, async (tx) => {
    let query = tx
      .updateTable('deliveries')
      .set({
        state: 'planned',
        reason: 'replayed',
        attempts: 0,
        due_at: now,
        expires_at: null,
        updated_at: now,
      })
      .where('state', '=', 'dead')
    if (ids) query = query.where('id', 'in', [...ids])
    if (channel !== undefined) query = query.where('channel', '=', channel)
    const rows = await query.returning(['id', 'channel']).execute()
    // Somebody thinks that it works again: no account rests any longer.
    for (const rested of new Set(rows.map((row) => row.channel)))
      await tx
        .updateTable('channel_accounts')
        .set({ open_until: null, failures: 0 })
        .where('channel', '=', rested)
        .execute()
    for (const { id } of rows)
      await tx
        .insertInto('delivery_events')
        .values({
          delivery_id: id,
          at: now,
          kind: 'replayed',
          reason: null,
          details: null,
          receipt_key: null,
        })
        .execute()
    return rows.length
  })
}

/** What a person found out about a message whose fate nobody knew: it arrived, or it is to be sent (again). */
export async function settleByHand(
  { database, clock }: Context,
  id: number,
  outcome: 'sent' | 'absent',
): Promise<void> {
  await transact(database.db, async (tx) => {
    const row = await tx.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) throw notFound('Delivery', id)
    const answers = [{ key: row.key, outcome }]
    if ((await settle(tx, { rows: [row], answers, now: clock.now() })) === 0)
      throw userError('E_DELIVERY_KNOWN', `What became of delivery ${id} is known: ${row.state}`, {
        status: 409,
      })
  })
}

/** Takes back what was planned and has not been handed over. */
export async function cancelDelivery({ database, clock }: Context, id: number): Promise<void> {
  await transact(database.db, async (tx) => {
    // Nobody leases it meanwhile.
    await readCursor(tx, 'deliveries')
    const row = await tx
      .updateTable('deliveries')
      .set({ state: 'cancelled', reason: 'by_hand', updated_at: clock.now() })
      .where('id', '=', id)
      .where('state', '=', 'planned')
      .returningAll()
      .executeTakeFirst()
    if (!row)
      throw userError('E_DELIVERY_UNDER_WAY', `Delivery ${id} is not waiting any more`, { status: 409 })
    await releaseTouches(tx, [row])
  })
}

export interface ChannelRates {
  channel: string
  customers: number
  sent: number
  opened: number
  clicked: number
  replied: number
  complained: number
  /** Customers for whom the channel pauses. */
  paused: number
}

/** How customers answer to each channel. */
export async function channelRates(db: Db, unopened: number): Promise<ChannelRates[]> {
  const rows = await db
    .selectFrom('contact_channels')
    .select(({ fn }) => [
      'channel',
      fn.countAll<number>().as('customers'),
      fn.sum<number>('sent').as('sent'),
      fn.sum<number>('opened').as('opened'),
      fn.sum<number>('clicked').as('clicked'),
      fn.sum<number>('replied').as('replied'),
      fn.sum<number>('complained').as('complained'),
    ])
    .groupBy('channel')
    .orderBy('channel')
    .execute()
  const paused = await db
    .selectFrom('contact_channels')
    .select(({ fn }) => ['channel', fn.countAll<number>().as('count')])
    .where('unopened', '>=', unopened)
    .groupBy('channel')
    .execute()
  return rows.map((row) => ({
    channel: row.channel,
    customers: Number(row.customers),
    sent: Number(row.sent),
    opened: Number(row.opened),
    clicked: Number(row.clicked),
    replied: Number(row.replied),
    complained: Number(row.complained),
    paused: Number(paused.find(({ channel }) => channel === row.channel)?.count ?? 0),
  }))
}
