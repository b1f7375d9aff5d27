import { notFound } from '@huitou/plugin-api'
import type { Db } from '../db/database.ts'

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
