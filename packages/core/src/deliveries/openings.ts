import type { ChannelContribution } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { Db, Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'

const HOUR = 3_600_000
/** Length of a window when the channel does not say. */
const WINDOW_HOURS = 48

export interface Opening {
  /** Of a `windowed` channel: until when the customer may be written to. */
  until?: number
  /** Of a `credit` channel: messages that the customer has allowed and that were not used yet. */
  credits?: number
}

/**
 * What customers have opened themselves: the window behind what they did last, or one message for each subscription.
 * `undefined` for a channel that needs neither; a customer who is not in it has opened nothing.
 */
export async function readOpenings(
  db: Db | Tx,
  { declaration, channel, now }: { declaration: ChannelContribution; channel: string; now: number },
  customers: readonly number[],
): Promise<Map<number, Opening> | undefined> {
  const { guarantee, openedBy, limits } = declaration
  if (guarantee === 'windowed') {
    const length = (limits?.windowHours ?? WINDOW_HOURS) * HOUR
    return await readWindows(db, { customers, length, openedBy, now })
  }
  return guarantee === 'credit' ? await readCredits(db, { customers, channel, openedBy }) : undefined
}

async function readWindows(
  db: Db | Tx,
  {
    customers,
    length,
    openedBy,
    now,
  }: { customers: readonly number[]; length: number; openedBy: string[] | undefined; now: number },
): Promise<Map<number, Opening>> {
  const rows = await eventsOf(db, customers)
    .where('timeline.ts', '>', now - length)
    .where('timeline.ts', '<=', now)
    // What becomes of messages is not what the customer does, except for an answer.
    .$if(openedBy === undefined, (query) =>
      query.where((where) =>
        where.or([
          where('timeline.name', 'not like', 'message.%'),
          where('timeline.name', '=', 'message.replied'),
        ]),
      ),
    )
    .$if(openedBy !== undefined, (query) => query.where('timeline.name', 'in', openedBy ?? []))
    .select(['r.id', (row) => row.fn.max('timeline.ts').as('last')])
    .groupBy('r.id')
    .execute()
  return new Map(rows.map(({ id, last }) => [id, { until: Number(last) + length }]))
}

async function readCredits(
  db: Db | Tx,
  {
    customers,
    channel,
    openedBy = [],
  }: { customers: readonly number[]; channel: string; openedBy: string[] | undefined },
): Promise<Map<number, Opening>> {
  if (openedBy.length === 0) return new Map()
  const given = await eventsOf(db, customers)
    .where('timeline.name', 'in', openedBy)
    .select(['r.id', sql<number>`sum(coalesce(timeline.value, 1))`.as('count')])
    .groupBy('r.id')
    .execute()
  const used = await db
    .selectFrom(toRows(db, customers))
    .crossJoin('identifiers')
    .crossJoin('contact_days')
    .whereRef('identifiers.customer_id', '=', 'r.id')
    .whereRef('contact_days.customer_id', '=', 'identifiers.id')
    .where('contact_days.channel', '=', channel)
    .select(['r.id', (row) => row.fn.sum<number>('contact_days.count').as('count')])
    .groupBy('r.id')
    .execute()
  const spent = new Map(used.map(({ id, count }) => [id, Number(count)]))
  return new Map(given.map(({ id, count }) => [id, { credits: Number(count) - (spent.get(id) ?? 0) }]))
}

function eventsOf(db: Db | Tx, customers: readonly number[]) {
  return (
    db
      .selectFrom(toRows(db, customers))
      // SQLite keeps the order of cross joins: the customers are few and the events many.
      .crossJoin('timeline')
      .whereRef('timeline.customer_id', '=', 'r.id')
      .where('timeline.current', '=', 1)
  )
}

function toRows(db: Db | Tx, customers: readonly number[]) {
  return rowsOf(
    db,
    customers.map((id) => ({ id })),
    { id: 'integer' },
  )
}
