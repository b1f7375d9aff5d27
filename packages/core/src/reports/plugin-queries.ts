import {
  type AggregateQuery,
  type ColumnBatch,
  type EventSeriesPoint,
  type EventSeriesQuery,
  type EventTableQuery,
  permissionError,
  userError,
} from '@huitou/plugin-api'
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { BusinessDays } from '../days.ts'
import type { Engine } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'
import type { VectorKind } from '../db/vectors.ts'
import { type Reader, refusedColumn } from '../points/grants.ts'
import { refusedProperty } from '../points/personal-properties.ts'
import { visibleKey } from '../profiles/visible-key.ts'
import { compareProperty } from '../segments/event-properties.ts'
import { classOf, getRuleColumn, readRuleColumns } from '../segments/rule-columns.ts'
import { type Period, periodsBetween } from './periods.ts'

/** Who asks, and what about. */
export type QueryContext = Pick<CoreContext, 'database' | 'brand' | 'points'> & { reader: Reader }

const GROUP_LIMIT = 10_000
const PERIOD_LIMIT = 5_000
const EVENT_LIMIT = 50

/** Columns of every customer, or of a segment's members, in order of their ids. Yes is 1, no is 0. */
export async function readCustomers(
  { database, reader }: Pick<QueryContext, 'database' | 'reader'>,
  { columns, segmentId }: { columns: string[]; segmentId?: string | undefined },
): Promise<ColumnBatch> {
  const known = await readRuleColumns(database.db)
  const names = [...new Set(columns)]
  const kinds = names.map((name): VectorKind =>
    classOf(getReadable(known, reader, name).type) === 'text' ? 'text' : 'number',
  )
  const column = columnOf(reader, database.engine)
  const query = profiles(database.analytics, segmentId)
    .select('profiles.customer_id')
    .select(names.map((name, index) => column(name).as(`column_${index}`)))
    .orderBy('profiles.customer_id')
  const { vectors } = await database.readColumns(query, ['number', ...kinds])
  return toBatch(vectors, names)
}

/** Customers in groups, with counts and figures of each; at most ten thousand groups, in order of their values. */
export async function aggregateCustomers(
  { database, reader }: Pick<QueryContext, 'database' | 'reader'>,
  { groupBy = [], measures, segmentId, having = [] }: AggregateQuery,
): Promise<Record<string, string | number | null>[]> {
  const known = await readRuleColumns(database.db)
  for (const name of [...groupBy, ...having]) getReadable(known, reader, name)
  const column = columnOf(reader, database.engine)
  const names = Object.keys(measures)
  if (names.length === 0) throw userError('E_QUERY', 'An aggregate needs at least one measure')
  const taken = names.find((name) => groupBy.includes(name))
  if (taken !== undefined) throw userError('E_QUERY', `"${taken}" is both a group and a measure`)
  const expressions = Object.values(measures).map((measure) => {
    if ('count' in measure) return sql<number>`count(*)`
    const [[aggregate, name] = ['', '']] = Object.entries(measure) as [string, string][]
    if (classOf(getReadable(known, reader, name).type) === 'text')
      throw userError('E_QUERY', `"${name}" holds text, which has no ${aggregate}`)
    return aggregated(aggregate, column(name))
  })
  let query = profiles(database.analytics, segmentId)
    .select(groupBy.map((name, index) => column(name).as(`group_${index}`)))
    .select(expressions.map((expression, index) => expression.as(`measure_${index}`)))
    .limit(GROUP_LIMIT)
  for (const name of having) query = query.where(column(name), 'is not', null)
  for (const name of groupBy) query = query.groupBy(column(name)).orderBy(column(name))
  const rows = (await query.execute()) as Record<string, string | number | null>[]
  return rows.map((row) =>
    Object.fromEntries([
      ...groupBy.map((name, index) => [name, row[`group_${index}`] ?? null]),
      ...names.map((name, index) => [name, row[`measure_${index}`] ?? null]),
    ]),
  )
}

/** For each customer with such events how many, their sum, the first and the last, and the customer's stable id. */
export async function eventsPerCustomer(context: QueryContext, query: EventTableQuery): Promise<ColumnBatch> {
  const { database, reader } = context
  const matching = matchingEvents(context, query)
  const table = sql<unknown>`(
    select t.customer_id, count(*) as events, sum(t.value) as value, min(t.ts) as first, max(t.ts) as last ${matching}
    group by t.customer_id)`
  const rows = (database.analytics as Kysely<any>)
    .selectFrom(table.as('per_customer'))
    .innerJoin('profiles', 'profiles.customer_id', 'per_customer.customer_id')
    .select(['per_customer.customer_id', 'events', 'value', 'first', 'last'])
    .select(visibleKey(reader, { engine: database.engine, table: 'profiles' }).as('key'))
    .orderBy('per_customer.customer_id')
  const { vectors } = await database.readColumns(rows, [
    'number',
    'number',
    'number',
    'number',
    'number',
    'text',
  ])
  return toBatch(vectors, ['count', 'value', 'first', 'last', 'key'])
}

/**
 * Events by business day, week (from Monday) or month of the brand's zone: one point for each event name and
 * period that has any, in order. The bounds of the periods are instants, so a day of 23 or 25 hours is one day.
 */
export async function eventSeries(
  context: QueryContext,
  query: EventSeriesQuery,
): Promise<EventSeriesPoint[]> {
  const { database, brand } = context
  const periods = await readPeriods(context, query, new BusinessDays((await brand()).timeZone))
  if (periods.length === 0) return []
  const db: Kysely<any> = database.analytics
  const bounds = periods.map(({ from, before }, period) => ({ period, from, before }))
  const source = rowsOf(db, bounds, { period: 'integer', from: 'integer', before: 'integer' })
  const member = query.segmentId === undefined ? sql`` : sql` and ${memberOf('t', query.segmentId)}`
  const rows = await sql<{
    period: number
    event: string
    count: number
    value: number | null
    customers: number
  }>`
    select r.period, t.name as event, count(*) as count, sum(t.value) as value, count(distinct t.customer_id) as customers
    ${matchingEvents(context, { ...query, from: undefined, before: undefined }, source)}
      and t.ts >= r."from" and t.ts < r.before${member}
    group by r.period, t.name order by r.period, t.name`.execute(db)
  return rows.rows.map(({ period, value, ...point }) => ({
    ...point,
    period: periods[period]?.first ?? '',
    value: value ?? 0,
  }))
}

async function readPeriods(
  { database }: QueryContext,
  query: EventSeriesQuery,
  days: BusinessDays,
): Promise<Period[]> {
  checkEvents(query.events)
  const { first, last } = await database.analytics
    .selectFrom('timeline')
    .select((row) => [
      row.fn.min<number | null>('ts').as('first'),
      row.fn.max<number | null>('ts').as('last'),
    ])
    .where('name', 'in', query.events)
    .executeTakeFirstOrThrow()
  if (first === null || last === null) return []
  const from = Math.max(first, query.from ?? first)
  const before = Math.min(last + 1, query.before ?? last + 1)
  const periods = from < before ? periodsBetween({ from, before, by: query.by }, days) : []
  if (periods.length > PERIOD_LIMIT) {
    throw userError('E_QUERY', `The series has ${periods.length} periods; ${PERIOD_LIMIT} are the most`, {
      hint: 'Ask for weeks or months.',
    })
  }
  return periods
}

/** `from … where …` over current events; the timeline is `t`. Further tables may stand beside it. */
export function matchingEvents(
  { database, points, reader }: Pick<QueryContext, 'database' | 'points' | 'reader'>,
  query: EventTableQuery,
  beside?: RawBuilder<unknown> | ReturnType<typeof rowsOf>,
): RawBuilder<unknown> {
  checkEvents(query.events)
  checkProperties({ points, reader }, query)
  const scope = { engine: database.engine, vault: database.vault, days: NO_DAYS, today: 0 }
  const filters = Object.entries(query.where ?? {}).map(
    ([property, value]) => sql` and ${compareProperty({ property, op: 'is', value }, scope)}`,
  )
  const source = filters.length > 0 ? sql`timeline t inner join events e on e.seq = t.seq` : sql`timeline t`
  const from = query.from === undefined ? sql`` : sql` and t.ts >= ${query.from}`
  const before = query.before === undefined ? sql`` : sql` and t.ts < ${query.before}`
  const first = beside ? sql`${beside} cross join ` : sql``
  return sql`from ${first}${source} where t.name in (${sql.join(query.events)}) and t.current = 1${from}${before}${sql.join(filters, sql``)}`
}

/** Asking who has a phone number is reading it. */
function checkProperties(
  { points, reader }: Pick<QueryContext, 'points' | 'reader'>,
  query: EventTableQuery,
): void {
  const types = query.events.flatMap((name) => points.eventTypes.find(name)?.value ?? [])
  for (const property of Object.keys(query.where ?? {})) {
    const refused = refusedProperty(reader, types, property)
    if (refused) throw permissionError(reader.id, refused.permission, refused.name)
  }
}

/** Comparing for equality needs no calendar. */
const NO_DAYS = new BusinessDays('UTC')

function checkEvents(events: readonly string[]): void {
  if (events.length === 0 || events.length > EVENT_LIMIT)
    throw userError('E_QUERY', `A query names from one to ${EVENT_LIMIT} events`)
}

function profiles(db: Kysely<any>, segmentId: string | undefined) {
  const query = db.selectFrom('profiles')
  return segmentId === undefined ? query : query.where(memberOf('profiles', segmentId))
}

function memberOf(table: 'profiles' | 't', segmentId: string): RawBuilder<SqlBool> {
  const customer = sql.ref(`${table}.customer_id`)
  return sql<SqlBool>`exists (select 1 from segment_members m where m.segment_id = ${segmentId} and m.customer_id = ${customer})`
}

/** The column, when the reader may read it. */
function getReadable(
  known: Parameters<typeof getRuleColumn>[0],
  reader: Reader,
  name: string,
): ReturnType<typeof getRuleColumn> {
  const column = getRuleColumn(known, name)
  const refused = refusedColumn(reader, column)
  if (refused) throw permissionError(reader.id, refused.permission, refused.name)
  return column
}

function columnOf(reader: Reader, engine: Engine): (name: string) => RawBuilder<unknown> {
  return (name) =>
    name === 'key' ? visibleKey(reader, { engine, table: 'profiles' }) : sql`${sql.ref(`profiles.${name}`)}`
}

function aggregated(aggregate: string, column: RawBuilder<unknown>): RawBuilder<number | null> {
  switch (aggregate) {
    case 'sum':
      return sql`sum(${column})`
    case 'mean':
      return sql`avg(${column})`
    case 'min':
      return sql`min(${column})`
    case 'max':
      return sql`max(${column})`
    default:
      throw userError('E_QUERY', `"${aggregate}" is not a measure`, {
        hint: 'Measures are count, sum, mean, min and max.',
      })
  }
}

function toBatch(vectors: readonly ColumnBatch['columns'][string][], names: readonly string[]): ColumnBatch {
  const [ids, ...columns] = vectors
  const entries = names.map((name, index) => [name, columns[index] as ColumnBatch['columns'][string]])
  return {
    ids: ids?.kind === 'number' ? ids.values : new Float64Array(),
    columns: Object.fromEntries(entries),
  }
}
