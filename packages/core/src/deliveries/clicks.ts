import type { CoreContext } from '../context.ts'
import { transact, type Tx } from '../db/database.ts'
import { isWebAddress } from '../content/links.ts'
import { recordReceipts } from './receipts.ts'

type Context = Pick<CoreContext, 'database' | 'clock'>

/** So soon after a message a gateway may be looking at its links; later it is a person. */
const INSTANT = 60_000
/** How long such a click is held until the others have come. */
const HOLD = 15_000
/** Nobody has read a message this soon. */
const UNREAD = 3_000
const BATCH = 500

/** Where a link leads; `gone` when it has expired. */
export async function findLink(
  { database, clock }: Context,
  token: string,
): Promise<string | 'gone' | undefined> {
  const link = await database.db
    .selectFrom('message_links')
    .select(['url', 'expires_at'])
    .where('token', '=', token)
    .where('kind', '=', 'page')
    .executeTakeFirst()
  if (!link || link.url === null || !isWebAddress(link.url)) return undefined
  return link.expires_at < clock.now() ? 'gone' : link.url
}

/** Counts that somebody followed a link. Right after the message went out the click is held first. */
export async function countClick({ database, clock }: Context, token: string): Promise<void> {
  const now = clock.now()
  await transact(database.db, async (tx) => {
    const link = await tx
      .selectFrom('message_links')
      .innerJoin('deliveries', 'deliveries.id', 'message_links.delivery_id')
      .select(['message_links.token', 'deliveries.id', 'deliveries.sent_at'])
      .where('message_links.token', '=', token)
      .executeTakeFirst()
    if (!link) return
    if (link.sent_at === null || now - link.sent_at < INSTANT) {
      await tx
        .insertInto('held_clicks')
        .values({ token, delivery_id: link.id, at: now, due_at: now + HOLD })
        .onConflict((conflict) => conflict.columns(['token', 'at']).doNothing())
        .execute()
      return
    }
    await record(tx, { token, at: now }, now)
  })
}

/**
 * Tells people from gateways: a machine follows every link of a message at once, and sooner than anybody reads. Returns
 * whether there was anything to tell.
 */
export async function settleClicks({ database, clock }: Context): Promise<boolean> {
  const now = clock.now()
  const due = await database.db
    .selectFrom('held_clicks')
    .select('delivery_id')
    .where('due_at', '<=', now)
    .limit(BATCH)
    .execute()
  if (due.length === 0) return false
  for (const id of new Set(due.map(({ delivery_id }) => delivery_id)))
    await transact(database.db, (tx) => settleDelivery(tx, id, now))
  return true
}

async function settleDelivery(tx: Tx, deliveryId: number, now: number): Promise<void> {
  const held = await tx
    .deleteFrom('held_clicks')
    .where('delivery_id', '=', deliveryId)
    .returning(['token', 'at'])
    .execute()
  const links = await tx
    .selectFrom('message_links')
    .select('token')
    .where('delivery_id', '=', deliveryId)
    .where('kind', '=', 'page')
    .execute()
  const { sent_at: sentAt } = (await tx
    .selectFrom('deliveries')
    .select('sent_at')
    .where('id', '=', deliveryId)
    .executeTakeFirst()) ?? { sent_at: null }
  const followed = new Set(held.map(({ token }) => token))
  const times = held.map(({ at }) => at)
  const isSweep =
    links.length > 1 && followed.size === links.length && Math.max(...times) - Math.min(...times) < HOLD
  if (isSweep) return
  for (const click of held.toSorted((a, b) => a.at - b.at)) {
    if (sentAt !== null && click.at - sentAt < UNREAD) continue
    await record(tx, click, now)
  }
}

async function record(tx: Tx, { token, at }: { token: string; at: number }, now: number): Promise<void> {
  const link = await tx
    .updateTable('message_links')
    .set((row) => ({ clicks: row('clicks', '+', 1) }))
    .where('token', '=', token)
    .returning(['url', 'delivery_id'])
    .executeTakeFirst()
  if (!link?.url) return
  const delivery = await tx
    .selectFrom('deliveries')
    .select(['key', 'channel'])
    .where('id', '=', link.delivery_id)
    .executeTakeFirst()
  if (!delivery) return
  await recordReceipts(tx, {
    channel: delivery.channel,
    receipts: [{ providerId: `link:${token}`, key: delivery.key, kind: 'clicked', at, detail: link.url }],
    now,
  })
}

/** Forgets links that lead nowhere any more. */
export async function sweepLinks({ database, clock }: Context): Promise<void> {
  await database.db.deleteFrom('message_links').where('expires_at', '<', clock.now()).execute()
}
