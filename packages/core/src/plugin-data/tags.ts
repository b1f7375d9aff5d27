import { randomUUID } from 'node:crypto'
import { AppError, notFound, userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { idRows } from '../db/rows.ts'
import type { EventLog } from '../events/append.ts'
import { type NewEvent, normalizeMessage } from '../events/normalize.ts'
import { rankOf } from '../identity/identifiers.ts'
import { tagTrait } from '../profiles/tag-trait.ts'
import { pluginSource } from './append-events.ts'

type Context = Pick<CoreContext, 'database' | 'clock'> & { events: EventLog }

const CUSTOMER_LIMIT = 1_000
const TAG_LIMIT = 60

export interface TagChange {
  pluginId: string
  customerIds: readonly number[]
  tag: string
  /** Whether the customers get the tag or lose it. */
  on: boolean
}

/**
 * Tags customers, or takes the tag off. A tag is a trait called `tag_<tag>`, set by an event: it stays through merges
 * and replays like everything else that is known of a customer, and segments can ask for its column.
 */
export async function changeTag(
  context: Context,
  { pluginId, customerIds, tag, on }: TagChange,
): Promise<void> {
  const trait = tagTrait(checkedTag(tag))
  const ids = checkedIds(customerIds)
  const names = await nameCustomers(context, ids)
  const missing = ids.find((id) => !names.has(id))
  if (missing !== undefined) throw notFound('Customer', missing)
  const now = context.clock.now()
  const events = [...names.values()].map(({ kind, value }): NewEvent => {
    const event = normalizeMessage(
      {
        type: 'track',
        event: on ? 'customer.tagged' : 'customer.untagged',
        messageId: randomUUID(),
        timestamp: now,
        properties: { tag: tag.trim(), plugin: pluginId },
        traits: { [trait]: on ? 'true' : null },
        ...nameOf(kind, value),
      },
      { source: pluginSource(pluginId), receivedAt: now },
    )
    if (event instanceof AppError) throw event
    return event
  })
  await context.events.append(events)
}

/** The most telling identifier of each customer; ids that went up into others count as those. */
async function nameCustomers(
  { database: { db } }: Context,
  ids: readonly number[],
): Promise<Map<number, { kind: string; value: string }>> {
  const rows = await db
    .selectFrom(idRows(db, ids))
    .innerJoin('identifiers as asked', 'asked.id', 'r.id')
    .innerJoin('identifiers as known', 'known.customer_id', 'asked.customer_id')
    .select(['r.id as asked', 'known.kind', 'known.value'])
    .orderBy('known.id')
    .execute()
  const best = new Map<number, { kind: string; value: string }>()
  for (const { asked, kind, value } of rows) {
    const found = best.get(asked)
    if (!found || rankOf(kind) < rankOf(found.kind)) best.set(asked, { kind, value })
  }
  return best
}

function nameOf(kind: string, value: string): Record<string, unknown> {
  if (kind === 'user_id') return { userId: value }
  if (kind === 'anonymous_id') return { anonymousId: value }
  return { context: { externalIds: [{ type: kind, id: value }] } }
}

function checkedTag(tag: unknown): string {
  const text = typeof tag === 'string' ? tag.trim() : ''
  if (text !== '' && text.length <= TAG_LIMIT && !/\p{Cc}|\p{Cs}/u.test(text)) return text
  throw userError('E_TAG', `A tag is a text of 1 to ${TAG_LIMIT} characters`)
}

function checkedIds(ids: readonly number[]): number[] {
  if (!Array.isArray(ids) || ids.length > CUSTOMER_LIMIT || !ids.every(Number.isSafeInteger))
    throw userError('E_TAG', `Up to ${CUSTOMER_LIMIT} customers, given by their ids, can be tagged at once`)
  return [...new Set(ids as number[])]
}
