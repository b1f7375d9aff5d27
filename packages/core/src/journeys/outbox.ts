import type { Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'

/** Under this key content names the template that it is written from. */
export const TEMPLATE_KEY = '$template'

/** What a route says, as the outbox keeps it. */
export function routeContent(route: {
  content: Readonly<Record<string, unknown>>
  template?: string | undefined
}): Record<string, unknown> {
  return route.template === undefined
    ? { ...route.content }
    : { ...route.content, [TEMPLATE_KEY]: route.template }
}

/** Where a message may go, and what it says there. */
export interface Route {
  /** Full id of the channel. */
  channel: string
  /** Id of one of the channel's accounts; its first one if empty. */
  account: string
  content: Record<string, unknown>
}

/** `test` goes through no guards and counts nowhere: only for channels that reach nobody, and for one's own address. */
export type DeliveryPurpose = 'marketing' | 'service' | 'test'

export interface NewDelivery extends Route {
  /** Made of what asks for it, so that asking again asks for nothing more. */
  key: string
  kind: 'message' | 'action'
  customerId: number
  context?: Record<string, unknown>
  /** In the order they are to be tried when a channel may not be used. */
  alternatives?: Route[]
  purpose?: DeliveryPurpose
  /** Of several that want a customer's last slot the largest gets it. */
  priority?: number
  journeyId?: string | undefined
  node?: string | undefined
  dueAt: number
  /** After this it comes too late. */
  expiresAt?: number | null
}

/**
 * Puts deliveries into the outbox, in the transaction of whatever decided on them. A key that is known changes
 * nothing. Returns how many are new.
 */
export async function planDeliveries(
  tx: Tx,
  deliveries: readonly NewDelivery[],
  now: number,
): Promise<number> {
  const written = await insertRows(tx, 'deliveries', {
    rows: deliveries.map((delivery) => ({
      key: delivery.key,
      kind: delivery.kind,
      customer_id: delivery.customerId,
      channel: delivery.channel,
      account: delivery.account,
      content: JSON.stringify(delivery.content),
      context: JSON.stringify(delivery.context ?? {}),
      alternatives: JSON.stringify(delivery.alternatives ?? []),
      purpose: delivery.purpose ?? 'marketing',
      priority: delivery.priority ?? 0,
      journey_id: delivery.journeyId ?? null,
      node: delivery.node ?? null,
      state: 'planned',
      planned_at: now,
      due_at: delivery.dueAt,
      expires_at: delivery.expiresAt ?? null,
      updated_at: now,
    })),
    columns: {
      key: 'text',
      kind: 'text',
      customer_id: 'integer',
      channel: 'text',
      account: 'text',
      content: 'json',
      context: 'json',
      alternatives: 'json',
      purpose: 'text',
      priority: 'integer',
      journey_id: 'text',
      node: 'text',
      state: 'text',
      planned_at: 'integer',
      due_at: 'integer',
      expires_at: 'integer',
      updated_at: 'integer',
    },
    conflict: { columns: ['key'], then: 'keep' },
  })
  return written.length
}
