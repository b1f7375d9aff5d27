import { sql } from 'kysely'
import type { BusinessDays } from '../days.ts'
import type { Db, Tx } from '../db/database.ts'
import { insertRows, updateRows } from '../db/insert-rows.ts'
import { rowsOf } from '../db/rows.ts'

/** Stands for everybody together in `contact_days`. */
export const EVERYONE = 0

export interface Touch {
  customer_id: number
  channel: string
  account: string
  day: number
  count: number
}

/** Day whose slot a message holds until it is given back; NULL for one that takes none. */
export function heldDay({ day, count }: Touch): number | null {
  return count === 0 ? null : day
}

/** First days of the business day, week and month that `now` lies in. */
export interface Periods {
  day: number
  week: number
  month: number
}

export function periodsAt(days: BusinessDays, now: number): Periods {
  const day = days.dayOf(now)
  const date = days.dateOf(day)
  return { day, week: day - (date.dayOfWeek - 1), month: day - (date.day - 1) }
}

/**
 * The touches of customers since a day, in the order of how they stand in the ledger. What was sent to a customer
 * before a merge counts for who it became part of. Everybody's own are under {@link EVERYONE}.
 */
export async function readTouches(
  db: Db | Tx,
  customers: readonly number[],
  since: number,
): Promise<Map<number, Touch[]>> {
  const own = await db
    .selectFrom(
      rowsOf(
        db,
        customers.map((id) => ({ id })),
        { id: 'integer' },
      ),
    )
    // SQLite keeps the order of cross joins: the customers are few, and both tables are found by them.
    .crossJoin('identifiers')
    .crossJoin('contact_days')
    .whereRef('identifiers.customer_id', '=', 'r.id')
    .whereRef('contact_days.customer_id', '=', 'identifiers.id')
    .where('contact_days.day', '>=', since)
    .select(['r.id as customer_id', 'contact_days.channel', 'contact_days.account', 'contact_days.day'])
    .select('contact_days.count')
    .execute()
  const all = await db
    .selectFrom('contact_days')
    .selectAll()
    .where('customer_id', '=', EVERYONE)
    .where('day', '>=', since)
    .execute()
  return Map.groupBy([...own, ...all], ({ customer_id }) => customer_id)
}

/** Takes slots from the ledger, or with a negative count gives them back. */
export async function addTouches(tx: Tx, touches: readonly Touch[]): Promise<void> {
  const sums = new Map<string, Touch>()
  for (const touch of touches) {
    for (const customer_id of [touch.customer_id, EVERYONE]) {
      const key = JSON.stringify([customer_id, touch.day, touch.channel, touch.account])
      const known = sums.get(key)
      if (known) known.count += touch.count
      else sums.set(key, { ...touch, customer_id })
    }
  }
  const rows = [...sums.values()].filter(({ count }) => count !== 0)
  if (rows.length === 0) return
  await insertRows(tx, 'contact_days', {
    rows: rows.map((row) => ({ ...row, count: 0 })),
    columns: { customer_id: 'integer', channel: 'text', account: 'text', day: 'integer', count: 'integer' },
    conflict: { columns: ['customer_id', 'day', 'channel', 'account'], then: 'keep' },
  })
  for (const [count, same] of Map.groupBy(rows, (row) => row.count)) {
    const keys = rowsOf(tx, same, {
      customer_id: 'integer',
      channel: 'text',
      account: 'text',
      day: 'integer',
      count: 'integer',
    })
    await tx
      .updateTable('contact_days')
      .set({ count: sql<number>`contact_days.count + ${sql.lit(count)}` })
      .where(
        sql<boolean>`(customer_id, day, channel, account) in (select r.customer_id, r.day, r.channel, r.account from ${keys})`,
      )
      .execute()
  }
}

/** Gives back the slots of messages that are to go out again, or never went out; a row holds none from then on. */
export async function releaseTouches(
  tx: Tx,
  rows: readonly {
    id: number
    customer_id: number
    channel: string
    used_account: string | null
    touch_day: number | null
  }[],
): Promise<void> {
  const held = rows.filter(({ used_account, touch_day }) => used_account !== null && touch_day !== null)
  if (held.length === 0) return
  const current = await tx
    .selectFrom(
      rowsOf(
        tx,
        held.map(({ customer_id }) => ({ id: customer_id })),
        { id: 'integer' },
      ),
    )
    .innerJoin('identifiers', 'identifiers.id', 'r.id')
    .select(['identifiers.id', 'identifiers.customer_id'])
    .execute()
  const customers = new Map(current.map(({ id, customer_id }) => [id, customer_id]))
  await addTouches(
    tx,
    held.map(({ customer_id, channel, used_account, touch_day }) => ({
      customer_id: customers.get(customer_id) ?? customer_id,
      channel,
      account: used_account as string,
      day: touch_day as number,
      count: -1,
    })),
  )
  await updateRows(tx, 'deliveries', {
    rows: held.map(({ id }) => ({ id, touch_day: null })),
    columns: { id: 'integer', touch_day: 'integer' },
    key: 'id',
  })
}
