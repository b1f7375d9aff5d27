import { type EventQuery, type StoredEvent, userError } from '@huitou/plugin-api'
import { type Kysely, sql } from 'kysely'
import { matchingEvents, type QueryContext } from '../reports/plugin-queries.ts'
import { visibleProperties } from './event-views.ts'

const LIMIT = 1_000
const CUSTOMER_LIMIT = 1_000

/** Single events, newest first, without personal data that the reader was not granted. */
export async function queryEvents(
  context: QueryContext,
  { customerIds, limit = 100, cursor, ...query }: EventQuery,
): Promise<{ events: StoredEvent[]; cursor?: string }> {
  const { database, points, reader } = context
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT)
    throw userError('E_QUERY', `A page of events has 1 to ${LIMIT} of them`)
  if (customerIds && (customerIds.length > CUSTOMER_LIMIT || !customerIds.every(Number.isSafeInteger)))
    throw userError('E_QUERY', `Events can be asked of up to ${CUSTOMER_LIMIT} customers, given by their ids`)
  if (customerIds?.length === 0) return { events: [] }
  const after = cursor === undefined ? undefined : parseCursor(cursor)
  const properties = visibleProperties(
    reader,
    database.engine,
    points.eventTypes.list().map(({ value }) => value),
  )
  const of = customerIds ? sql` and t.customer_id in (${sql.join(customerIds)})` : sql``
  const page = after ? sql` and (t.ts < ${after.ts} or (t.ts = ${after.ts} and t.seq < ${after.seq}))` : sql``
  const { rows } = await sql<Row>`
    select f.*, ${properties} as properties from (
      select t.seq, t.customer_id, t.name, t.ts, t.value ${matchingEvents(context, query)}${of}${page}
      order by t.ts desc, t.seq desc limit ${sql.lit(limit + 1)}) f
    inner join timeline t on t.seq = f.seq inner join events e on e.seq = f.seq
    order by f.ts desc, f.seq desc`.execute(database.analytics as Kysely<unknown>)
  const events = rows
    .slice(0, limit)
    .map(({ seq, customer_id, name, ts, value, properties: json }): StoredEvent => ({
      seq,
      customerId: customer_id,
      name,
      ts,
      value,
      properties: json === null ? {} : (JSON.parse(json) as Record<string, unknown>),
    }))
  const last = events.at(-1)
  return rows.length > limit && last ? { events, cursor: `${last.ts}.${last.seq}` } : { events }
}

interface Row {
  seq: number
  customer_id: number
  name: string
  ts: number
  value: number | null
  properties: string | null
}

function parseCursor(cursor: string): { ts: number; seq: number } {
  const [, ts, seq] = /^(-?\d{1,15})\.(\d{1,15})$/.exec(cursor) ?? []
  if (ts === undefined || seq === undefined)
    throw userError('E_QUERY', 'That is no cursor of a page of events')
  return { ts: Number(ts), seq: Number(seq) }
}
