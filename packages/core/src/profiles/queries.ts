import { notFound } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { type EventBody } from '../events/normalize.ts'
import { isStrong, rankOf } from '../identity/identifiers.ts'
import { vaultOf } from '../db/sealing.ts'
import { maskedPlaces, maskIdentifier, maskProperties, maskValue } from '../people/masking.ts'
import { readColumns } from './columns.ts'

export interface Customer {
  id: number
  key: string
  name: string
  firstSeenAt: number
  lastSeenAt: number
  eventCount: number
  /** Values by column; personal data masked. */
  columns: Record<string, string | number | null>
  identifiers: CustomerIdentifier[]
}

export interface CustomerIdentifier {
  id: number
  kind: string
  /** Masked where it is personal data. */
  value: string
  since: number
  /** Whether it names the customer for certain. */
  certain: boolean
}

/** Id a customer goes by now: ids of customers that became part of another lead to that one. */
export async function currentCustomerId(db: Db, id: number): Promise<number> {
  const row = await db.selectFrom('identifiers').select('customer_id').where('id', '=', id).executeTakeFirst()
  if (!row) throw notFound('Customer', id)
  return row.customer_id
}

export async function getCustomer(db: Db, id: number): Promise<Customer> {
  const current = await currentCustomerId(db, id)
  const row = (await db
    .selectFrom('profiles')
    .selectAll()
    .where('customer_id', '=', current)
    .executeTakeFirst()) as
    | (Record<string, string | number | null> & {
        key: string
        first_seen_at: number
        last_seen_at: number
        event_count: number
      })
    | undefined
  if (!row) throw notFound('Customer', id)
  const columns = await readColumns(db)
  const values = columns
    .filter(({ kind }) => kind !== 'core')
    .map(({ name, pii, logical }) => [name, maskValue(row[name] ?? null, { pii, logical })] as const)
  const identifiers = await db
    .selectFrom('identifiers')
    .select(['id', 'kind', 'value', 'first_seen_at'])
    .where('customer_id', '=', current)
    .orderBy('id')
    .limit(200)
    .execute()
  return {
    id: current,
    key: maskKey(row.key, identifiers),
    name: customerName(row['t_name'], row.key, identifiers),
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
    eventCount: row.event_count,
    columns: Object.fromEntries(values),
    identifiers: identifiers
      .map((identifier) => ({
        id: identifier.id,
        kind: identifier.kind,
        value: maskIdentifier(identifier),
        since: identifier.first_seen_at,
        certain: isStrong(identifier.kind),
      }))
      .toSorted((a, b) => rankOf(a.kind) - rankOf(b.kind)),
  }
}

/** What to call someone: the name, or else the masked id. */
export function customerName(
  name: unknown,
  key: string,
  identifiers: { kind: string; value: string }[] = [],
): string {
  return typeof name === 'string' && name !== '' ? name : maskKey(key, identifiers)
}

/** What customers are called, by id. Who is gone has no name. */
export async function readCustomerNames(db: Db, ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  const rows = (await db
    .selectFrom('profiles')
    .selectAll()
    .where('customer_id', 'in', [...new Set(ids)])
    .execute()) as { customer_id: number; key: string; t_name?: string | null }[]
  return new Map(rows.map(({ customer_id, key, t_name }) => [customer_id, customerName(t_name, key)]))
}

/** A customer's key may be a phone number; then it is masked like one. */
export function maskKey(key: string, identifiers: { kind: string; value: string }[] = []): string {
  const own = identifiers.find(({ value }) => value === key)
  if (own) return maskIdentifier(own)
  if (/^\+\d{7,15}$/.test(key)) return maskIdentifier({ kind: 'phone', value: key })
  if (/^[^\s@]+@[^\s@]+$/.test(key)) return maskIdentifier({ kind: 'email', value: key })
  return key
}

export interface TimelineEntry {
  seq: number
  name: string
  ts: number
  /** The event type's number; minor units for money. */
  value: number | null
  properties: Record<string, unknown>
  /** Properties that are masked: `receiver.phone`. Each can be asked for in clear. */
  masked: string[]
}

/** Current events of a customer, newest first, personal data masked. `before` is the `next` of the page before. */
export async function readTimeline(
  db: Db,
  customer: number,
  { before, limit, names }: { before?: string | undefined; limit: number; names?: string[] | undefined },
): Promise<{ entries: TimelineEntry[]; next: string | null }> {
  let query = db
    .selectFrom('timeline')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .where('timeline.customer_id', '=', customer)
    .where('timeline.current', '=', 1)
    .select(['timeline.seq', 'timeline.name', 'timeline.ts', 'timeline.value', 'events.body'])
    .orderBy('timeline.ts', 'desc')
    .orderBy('timeline.seq', 'desc')
    .limit(limit + 1)
  const [ts, seq] = (before ?? '').split('.').map(Number)
  if (before && Number.isFinite(ts) && Number.isFinite(seq)) {
    query = query.where(sql<boolean>`(timeline.ts, timeline.seq) < (${ts}, ${seq})`)
  }
  if (names && names.length > 0) {
    query = query.where((where) =>
      where.or(
        names.map((name) =>
          name.endsWith('*')
            ? where('timeline.name', 'like', `${name.slice(0, -1)}%`)
            : where('timeline.name', '=', name),
        ),
      ),
    )
  }
  const rows = await query.execute()
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    entries: page.map(({ body, ...row }) => {
      const { properties, traits } = JSON.parse(body) as EventBody
      const shown = properties && maskProperties(vaultOf(db).personal, properties)
      return {
        ...row,
        properties: shown ?? (traits ? { traits: Object.keys(traits) } : {}),
        masked: maskedPlaces(properties, shown),
      }
    }),
    next: rows.length > limit && last ? `${last.ts}.${last.seq}` : null,
  }
}
