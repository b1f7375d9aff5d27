import type { BusinessDays } from '../days.ts'
import type { Db, Tx } from '../db/database.ts'
import { insertRows, updateRows } from '../db/insert-rows.ts'
import { isOneOf, rowsOf } from '../db/rows.ts'

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
 * before a merge counts for who it became part of: `owners` says whom each id belongs to now. Everybody's own are
 * under {@link EVERYONE}.
 */
export async function readTouches(
  db: Db | Tx,
  owners: ReadonlyMap<number, number>,
  since: number,
): Promise<Map<number, Touch[]>> {
  const rows = await db
    .selectFrom('contact_days')
    .selectAll()
    .where(isOneOf(db, 'customer_id', [EVERYONE, ...owners.keys()]))
    .where('day', '>=', since)
    .execute()
  return Map.groupBy(rows, ({ customer_id }) => owners.get(customer_id) ?? EVERYONE)
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
  // In one order, so that no two transactions wait for each other's rows.
  const rows = [...sums.values()]
    .filter(({ count }) => count !== 0)
    .toSorted((a, b) => a.customer_id - b.customer_id || a.day - b.day)
  if (rows.length === 0) return
  await insertRows(tx, 'contact_days', {
    rows,
    columns: { customer_id: 'integer', channel: 'text', account: 'text', day: 'integer', count: 'integer' },
    conflict: { columns: ['customer_id', 'day', 'channel', 'account'], then: { add: ['count'] } },
  })
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
