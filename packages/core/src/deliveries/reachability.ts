import { notFound } from '@huitou/plugin-api'
import type { Db, Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import type { Person } from '../journeys/people.ts'
import { CONTACT_COLUMNS, NO_CONTACT } from './contact-counts.ts'

/** A channel that does not reach a customer, or hardly. */
export interface Unreachable {
  channel: string
  /** Since when the address is known to be none; null while it only came back. */
  undeliverableAt: number | null
  /** Messages in a row that came back. */
  bounced: number
}

/** Channels on which messages to the customer came back, by all that became this one. */
export async function readUnreachable(db: Db, customerId: number): Promise<Unreachable[]> {
  const rows = await db
    .selectFrom('contact_channels as c')
    .innerJoin('identifiers', 'identifiers.id', 'c.customer_id')
    .where('identifiers.customer_id', '=', customerId)
    .where((where) => where.or([where('c.bounced', '>', 0), where('c.undeliverable_at', 'is not', null)]))
    .groupBy('c.channel')
    .select((select) => [
      'c.channel',
      select.fn.max('c.undeliverable_at').as('undeliverableAt'),
      select.fn.max('c.bounced').as('bounced'),
    ])
    .orderBy('c.channel')
    .execute()
  return rows.map(({ channel, undeliverableAt, bounced }) => ({
    channel,
    undeliverableAt: undeliverableAt === null ? null : Number(undeliverableAt),
    bounced: Number(bounced),
  }))
}

/** Whom a channel does not reach, and since when, in epoch milliseconds. */
export interface DeadAddress {
  person: Person
  channel: string
  at: number
}

/** Writes down that the addresses which customers have by now are none; one that they get later may be. */
export async function markUndeliverable(tx: Tx, dead: readonly DeadAddress[]): Promise<void> {
  const rows = new Map(
    dead.flatMap(({ person, channel, at }) => {
      // A later address has a higher number than all that are known.
      const upto = Math.max(...person.identifiers.map(({ id }) => id))
      if (!Number.isFinite(upto)) return []
      const row = {
        customer_id: person.id,
        channel,
        undeliverable_upto: upto,
        undeliverable_at: Math.round(at),
      }
      return [[`${person.id} ${channel}`, row] as const]
    }),
  )
  await insertRows(tx, 'contact_channels', {
    rows: [...rows.values()].map((row) => ({ ...NO_CONTACT, ...row })),
    columns: {
      ...CONTACT_COLUMNS,
      undeliverable_upto: 'integer',
      undeliverable_at: 'integer',
    },
    conflict: {
      columns: ['customer_id', 'channel'],
      then: { add: [], set: ['undeliverable_upto', 'undeliverable_at'] },
    },
  })
}

/** Somebody knows that the address works: messages go to it again. */
export async function markReachable(db: Db, customerId: number, channel: string): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('contact_channels')
    .set({ bounced: 0, undeliverable_upto: null, undeliverable_at: null })
    .where('channel', '=', channel)
    .where('customer_id', 'in', (where) =>
      where.selectFrom('identifiers').select('id').where('customer_id', '=', customerId),
    )
    .executeTakeFirst()
  if (Number(numUpdatedRows) === 0) throw notFound('Channel', channel)
}
