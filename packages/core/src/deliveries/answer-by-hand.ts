import { notFound, userError } from '@huitou/plugin-api'
import type { ReceiptKind } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { transact } from '../db/database.ts'
import { recordReceipts } from './receipts.ts'

/**
 * What somebody does with a message on a channel that reaches nobody, told by a person who plays the customer. From
 * here on it is a receipt like any other: it moves the message on, becomes an event and counts for fatigue.
 */
export async function answerByHand(
  { database, clock, points }: Pick<CoreContext, 'database' | 'clock' | 'points'>,
  id: number,
  { kind, detail }: { kind: Exclude<ReceiptKind, 'failed'>; detail?: string | undefined },
): Promise<void> {
  await transact(database.db, async (tx) => {
    const row = await tx
      .selectFrom('deliveries')
      .select(['key', 'channel', 'provider_id', 'sent_at'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row) throw notFound('Delivery', id)
    if (points.channels.find(row.channel)?.value.sandbox !== true)
      throw userError('E_DELIVERY_REAL', `Delivery ${id} went to a real customer`, {
        status: 409,
        hint: 'Only messages on a channel that reaches nobody can be answered here.',
      })
    if (row.sent_at === null)
      throw userError('E_DELIVERY_NOT_SENT', `Delivery ${id} has not gone out`, { status: 409 })
    const now = clock.now()
    const receipt = { providerId: row.provider_id ?? row.key, key: row.key, kind, at: now }
    await recordReceipts(tx, {
      channel: row.channel,
      receipts: [{ ...receipt, ...(detail === undefined ? {} : { detail }) }],
      now,
    })
  })
}
