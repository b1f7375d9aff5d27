import { sql } from 'kysely'
import { BusinessDays } from '../days.ts'
import type { Db } from '../db/database.ts'
import { customerName } from '../profiles/queries.ts'
import type { StoredChoice } from './apply-choice.ts'
import type { StoredDelivery } from './next-messages.ts'
import type { DeliveryState } from './tables.ts'

const HOUR = 3_600_000

export interface DeliveryEntry {
  id: number
  kind: string
  /** Who the customer is now, which may be another than whom it was planned for. */
  customerId: number
  customerName: string | null
  channel: string
  account: string
  journeyId: string | null
  journeyName: string | null
  node: string | null
  purpose: string
  state: DeliveryState
  reason: string | null
  details: Record<string, unknown> | null
  attempts: number
  plannedAt: number
  dueAt: number
  expiresAt: number | null
  sentAt: number | null
  updatedAt: number
  /** First words of what was handed over, personal data masked. */
  excerpt: string | null
  /** Which of several channels came first, and why. */
  choice: StoredChoice | null
}

export interface DeliveryFilter {
  kind?: 'message' | 'action' | undefined
  states?: readonly DeliveryState[] | undefined
  reason?: string | undefined
  channel?: string | undefined
  journeyId?: string | undefined
  node?: string | undefined
  customerId?: number | undefined
  /** Of those planned from this moment on, and before that one. */
  from?: number | undefined
  to?: number | undefined
}

/** Newest first; `next` is the `before` of the following page. */
export async function listDeliveries(
  db: Db,
  { before, limit, ...filter }: DeliveryFilter & { before?: number | undefined; limit: number },
): Promise<{ deliveries: DeliveryEntry[]; next: number | null }> {
  let query = (await filtered(db, filter)).orderBy('deliveries.id', 'desc').limit(limit)
  if (before !== undefined) query = query.where('deliveries.id', '<', before)
  const rows = await withNames(query).execute()
  const deliveries = rows.map((row) => toEntry(row as NamedDelivery))
  return { deliveries, next: rows.length === limit ? (deliveries.at(-1)?.id ?? null) : null }
}

export async function findEntry(db: Db, id: number): Promise<(DeliveryEntry & Kept) | undefined> {
  const query = db.selectFrom('deliveries').where('deliveries.id', '=', id)
  const row = (await withNames(query).executeTakeFirst()) as NamedDelivery | undefined
  return row && { ...toEntry(row), ...kept(row) }
}

/** What is looked at only in one delivery. */
interface Kept {
  /** As it was handed over, personal data masked; before that as it is planned, variables and all. */
  content: Record<string, unknown>
  isFilledIn: boolean
  providerId: string | null
  /** Channels that are tried when this one may not be used. */
  alternatives: string[]
}

function kept(row: NamedDelivery): Kept {
  return {
    content: JSON.parse(row.shown_content ?? row.content) as Record<string, unknown>,
    isFilledIn: row.shown_content !== null,
    providerId: row.provider_id,
    alternatives: (JSON.parse(row.alternatives) as { channel: string }[]).map(({ channel }) => channel),
  }
}

export interface DeliverySummary {
  total: number
  states: Partial<Record<DeliveryState, number>>
  reasons: { state: DeliveryState; reason: string; count: number }[]
  channels: { channel: string; count: number }[]
  /** Days of the brand's zone on which they were planned, in order; days without any are left out. */
  days: { day: string; states: Partial<Record<DeliveryState, number>> }[]
}

/** How many deliveries there are by state, reason, channel and day. */
export async function summarizeDeliveries(
  db: Db,
  filter: DeliveryFilter,
  timeZone: string,
): Promise<DeliverySummary> {
  const hour = sql<number>`deliveries.planned_at / ${sql.lit(HOUR)}`
  const rows = await (
    await filtered(db, filter)
  )
    .select(['deliveries.state', 'deliveries.reason', 'deliveries.channel', hour.as('hour')])
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .groupBy(['deliveries.state', 'deliveries.reason', 'deliveries.channel', hour])
    .execute()
  const zone = new BusinessDays(timeZone)
  const figures = rows.map((row) => ({
    ...row,
    count: Number(row.count),
    day: zone.dayOf(Number(row.hour) * HOUR),
  }))
  const reasons = figures.filter(({ reason }) => reason !== null)
  return {
    total: sum(figures),
    states: byState(figures),
    reasons: [...Map.groupBy(reasons, ({ state, reason }) => `${state} ${reason}`).values()]
      .map((same) => ({ state: same[0]!.state, reason: same[0]!.reason ?? '', count: sum(same) }))
      .toSorted((a, b) => b.count - a.count),
    channels: [...Map.groupBy(figures, ({ channel }) => channel)]
      .map(([channel, same]) => ({ channel, count: sum(same) }))
      .toSorted((a, b) => b.count - a.count),
    days: [...Map.groupBy(figures, ({ day }) => day)]
      .toSorted(([a], [b]) => a - b)
      .map(([day, same]) => ({ day: zone.textOf(day), states: byState(same) })),
  }
}

function byState(figures: readonly { state: DeliveryState; count: number }[]) {
  const states: Partial<Record<DeliveryState, number>> = {}
  for (const { state, count } of figures) states[state] = (states[state] ?? 0) + count
  return states
}

function sum(figures: readonly { count: number }[]): number {
  return figures.reduce((all, { count }) => all + count, 0)
}

async function filtered(db: Db, filter: DeliveryFilter) {
  const { kind, states, reason, channel, journeyId, node, customerId, from, to } = filter
  const [first, end] = [
    from === undefined ? undefined : await firstSince(db, from),
    to === undefined ? undefined : await firstSince(db, to),
  ]
  return db
    .selectFrom('deliveries')
    .$if(kind !== undefined, (query) => query.where('deliveries.kind', '=', kind!))
    .$if(states !== undefined, (query) => query.where('deliveries.state', 'in', states!))
    .$if(reason !== undefined, (query) => query.where('deliveries.reason', '=', reason!))
    .$if(channel !== undefined, (query) => query.where('deliveries.channel', '=', channel!))
    .$if(journeyId !== undefined, (query) => query.where('deliveries.journey_id', '=', journeyId!))
    .$if(node !== undefined, (query) => query.where('deliveries.node', '=', node!))
    .$if(first !== undefined, (query) => query.where('deliveries.id', '>=', first!))
    .$if(end !== undefined, (query) => query.where('deliveries.id', '<', end!))
    .$if(customerId !== undefined, (query) =>
      query.where('deliveries.customer_id', 'in', (where) =>
        where
          .selectFrom('identifiers as asked')
          .innerJoin('identifiers', 'identifiers.customer_id', 'asked.customer_id')
          .where('asked.id', '=', customerId!)
          .select('identifiers.id'),
      ),
    )
}

/**
 * Id of the first delivery planned at or after a moment. Ids are given in the order of planning, so halving finds it
 * without an index that every new row would have to pay for.
 */
export async function firstSince(db: Db, at: number): Promise<number> {
  const last = await db
    .selectFrom('deliveries')
    .select(({ fn }) => fn.max('id').as('id'))
    .executeTakeFirst()
  let low = 1
  let high = Number(last?.id ?? 0) + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const row = await db
      .selectFrom('deliveries')
      .select(['id', 'planned_at'])
      .where('id', '>=', middle)
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    if (!row || row.planned_at >= at) high = middle
    else low = row.id + 1
  }
  return low
}

type Filtered = Awaited<ReturnType<typeof filtered>>

function withNames(query: Filtered) {
  return query
    .leftJoin('identifiers as person', 'person.id', 'deliveries.customer_id')
    .leftJoin('profiles', 'profiles.customer_id', 'person.customer_id')
    .leftJoin('journeys', 'journeys.id', 'deliveries.journey_id')
    .selectAll('deliveries')
    .select([
      'person.customer_id as current_id',
      'profiles.key as customer_key',
      sql<string | null>`profiles.t_name`.as('customer_name'),
      'journeys.name as journey_name',
    ])
}

type NamedDelivery = StoredDelivery & {
  current_id: number | null
  customer_key: string | null
  customer_name: string | null
  journey_name: string | null
}

function toEntry(row: NamedDelivery): DeliveryEntry {
  return {
    id: row.id,
    kind: row.kind,
    customerId: row.current_id ?? row.customer_id,
    customerName: row.customer_key === null ? null : customerName(row.customer_name, row.customer_key),
    channel: row.channel,
    account: row.used_account ?? row.account,
    journeyId: row.journey_id,
    journeyName: row.journey_name,
    node: row.node,
    purpose: row.purpose,
    state: row.state,
    reason: row.reason,
    details: toDetails(row.details),
    attempts: row.attempts,
    plannedAt: row.planned_at,
    dueAt: row.due_at,
    expiresAt: row.expires_at,
    sentAt: row.sent_at,
    updatedAt: row.updated_at,
    excerpt: row.shown_content === null ? null : excerptOf(JSON.parse(row.shown_content) as object),
    choice: row.choice === null ? null : (JSON.parse(row.choice) as StoredChoice),
  }
}

/** The beginning of what reads like a message. */
function excerptOf(content: object): string | null {
  const texts = content as Record<string, unknown>
  const known = ['subject', 'title', 'text', 'body'].map((name) => texts[name])
  const words = (known.some(isText) ? known : Object.values(texts)).filter(isText)
  return words.length === 0 ? null : words.join(' · ').slice(0, 160)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

export function toDetails(text: string | null): Record<string, unknown> | null {
  return text === null ? null : (JSON.parse(text) as Record<string, unknown>)
}
