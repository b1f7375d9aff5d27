import { type Kysely, sql } from 'kysely'
import { toDefinition } from '../collections/definition.ts'
import { recordColumns, type RecordRow, toRecord } from '../collections/record.ts'
import type { CoreContext } from '../context.ts'
import type { Db } from '../db/database.ts'
import { idRows } from '../db/rows.ts'
import type { EventBody } from '../events/normalize.ts'
import { readPeople } from '../journeys/people.ts'
import type { Text } from '../points/points.ts'
import { readColumns } from '../profiles/columns.ts'
import { findRequestsOf } from './requests.ts'

type Locale = keyof Text
type Cell = string | number | boolean | null
/** One line of a table, by column. */
type Line = Record<string, Cell>

/** Everything that Huitou holds on one customer, table by table, in words that the customer understands. */
interface CustomerData {
  profile: Line[]
  identifiers: Line[]
  events: Line[]
  segments: Line[]
  journeys: Line[]
  messages: Line[]
  consents: Line[]
  requests: Line[]
  tasks: Line[]
  records: Line[]
}

interface Asking {
  db: Db
  ids: readonly number[]
  customerId: number
  locale: Locale
}

/** Reads what is held; nothing is masked, and nothing of anybody else is in it. */
export async function readCustomerData(
  { database: { db }, points }: Pick<CoreContext, 'database' | 'points'>,
  customerId: number,
  locale: Locale,
): Promise<CustomerData> {
  const person = (await readPeople(db, [customerId])).get(customerId)
  const ids = (person?.identifiers ?? []).map(({ id }) => id)
  const asking: Asking = { db, ids, customerId, locale }
  const titles = new Map(
    points.eventTypes.list().map(({ owner, value }) => [value.name, owner.text(value.title)[locale]]),
  )
  return {
    profile: await profileOf(asking, person?.profile ?? {}),
    identifiers: await identifiersOf(asking),
    events: await eventsOf(asking, titles),
    segments: await segmentsOf(asking),
    journeys: await journeysOf(asking),
    messages: await messagesOf(asking),
    consents: await consentsOf(asking),
    requests: await requestsOf(asking),
    tasks: await tasksOf(asking),
    records: await recordsOf(asking),
  }
}

async function profileOf({ db, locale }: Asking, row: Record<string, Cell>): Promise<Line[]> {
  return (await readColumns(db)).flatMap(({ name, title, type, kind }) => {
    const value = row[name]
    if (value === null || value === undefined) return []
    const shown = type === 'time' && typeof value === 'number' ? iso(value) : value
    return [{ column: name, title: title[locale], kind, value: shown }]
  })
}

async function identifiersOf({ db, customerId }: Asking): Promise<Line[]> {
  const rows = await db
    .selectFrom('identifiers')
    .select(['kind', 'value', 'first_seen_at'])
    .where('customer_id', '=', customerId)
    .orderBy('id')
    .execute()
  return rows.map(({ kind, value, first_seen_at }) => ({ kind, value, since: iso(first_seen_at) }))
}

async function eventsOf({ db, customerId }: Asking, titles: ReadonlyMap<string, string>): Promise<Line[]> {
  const rows = await db
    .selectFrom('timeline')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .select(['timeline.name', 'timeline.ts', 'events.source', 'events.body'])
    .where('timeline.customer_id', '=', customerId)
    .orderBy('timeline.ts')
    .orderBy('timeline.seq')
    .execute()
  return rows.map(({ name, ts, source, body }) => {
    const { properties = {}, traits = {}, context = {} } = JSON.parse(body) as EventBody
    return {
      time: iso(ts),
      event: name,
      title: titles.get(name) ?? name,
      source,
      properties: json(properties),
      traits: json(traits),
      context: json(context),
    }
  })
}

async function segmentsOf({ db, ids, locale }: Asking): Promise<Line[]> {
  const rows = await db
    .selectFrom(idRows(db, ids))
    .innerJoin('segment_members', 'segment_members.customer_id', 'r.id')
    .innerJoin('segments', 'segments.id', 'segment_members.segment_id')
    .select(['segments.name', 'segments.display', 'segments.rule', 'segment_members.entered_at'])
    .orderBy('segment_members.entered_at')
    .execute()
  return rows.map(({ name, display, rule, entered_at }) => {
    const title = display === null ? undefined : (JSON.parse(display) as { title?: Text }).title
    return { segment: title?.[locale] ?? name, since: iso(entered_at), rule }
  })
}

async function journeysOf({ db, ids }: Asking): Promise<Line[]> {
  const rows = await db
    .selectFrom(idRows(db, ids))
    .innerJoin('enrolments', 'enrolments.customer_id', 'r.id')
    .innerJoin('journeys', 'journeys.id', 'enrolments.journey_id')
    .select(['journeys.name', 'enrolments.state', 'enrolments.entered_at', 'enrolments.ended_at'])
    .select('enrolments.ended_reason')
    .where('enrolments.version', '>', 0)
    .orderBy('enrolments.id')
    .execute()
  return rows.map(({ name, state, entered_at, ended_at, ended_reason }) => ({
    journey: name,
    state,
    entered: iso(entered_at),
    ended: iso(ended_at),
    reason: ended_reason,
  }))
}

async function messagesOf({ db, ids }: Asking): Promise<Line[]> {
  const rows = await db
    .selectFrom(idRows(db, ids))
    .innerJoin('deliveries', 'deliveries.customer_id', 'r.id')
    .select(['channel', 'purpose', 'state', 'reason', 'planned_at', 'sent_at', 'shown_content'])
    .where('kind', '=', 'message')
    .orderBy('deliveries.id')
    .execute()
  return rows.map(({ channel, purpose, state, reason, planned_at, sent_at, shown_content }) => ({
    channel,
    purpose,
    state,
    reason,
    planned: iso(planned_at),
    sent: iso(sent_at),
    content: shown_content,
  }))
}

/** Every word of the customer with what it rests on; what of an address is kept tells nobody anything. */
async function consentsOf({ db, ids }: Asking): Promise<Line[]> {
  const rows = await db
    .selectFrom(idRows(db, ids))
    .innerJoin('consent_ledger as l', 'l.customer_id', 'r.id')
    .leftJoin('consent_text_versions as v', (join) =>
      join.onRef('v.text_id', '=', 'l.text_id').onRef('v.version', '=', 'l.text_version'),
    )
    .selectAll('l')
    .select('v.variants')
    .orderBy('l.at')
    .orderBy('l.seq')
    .execute()
  return rows.map((row) => ({
    channel: row.channel,
    purpose: row.purpose,
    state: row.state,
    time: iso(row.at),
    origin: row.origin,
    source: row.source,
    text: row.text_id,
    version: row.text_version,
    words: row.variants,
    device: row.agent,
    note: row.note,
  }))
}

/** What the customer asked for as the law lets them; who works here is nobody's business. */
async function requestsOf({ db, customerId }: Asking): Promise<Line[]> {
  return (await findRequestsOf(db, customerId)).map((row) => ({
    kind: row.kind,
    state: row.state,
    asked: iso(row.asked_at),
    way: row.way,
    note: row.note,
    due: iso(row.due_at),
    answered: iso(row.finished_at),
    answer: row.answer,
  }))
}

async function tasksOf({ db, ids }: Asking): Promise<Line[]> {
  const rows = await db
    .selectFrom(idRows(db, ids))
    .innerJoin('tasks', 'tasks.customer_id', 'r.id')
    .select(['kind', 'state', 'outcome', 'note', 'created_at', 'ended_at'])
    .orderBy('tasks.id')
    .execute()
  return rows.map(({ kind, state, outcome, note, created_at, ended_at }) => ({
    kind,
    state,
    outcome,
    note,
    created: iso(created_at),
    ended: iso(ended_at),
  }))
}

async function recordsOf({ db, ids, locale }: Asking): Promise<Line[]> {
  const collections = await db.selectFrom('collections').selectAll().where('active', '=', 1).execute()
  const lines: Line[] = []
  for (const row of collections) {
    const definition = toDefinition(row)
    const about = definition.fields.filter(({ storage }) => storage === 'customer')
    if (about.length === 0) continue
    const mine = sql.join(
      about.map(({ column }) => sql`${sql.ref(column)} in (select r.id from ${idRows(db, ids)})`),
      sql` or `,
    )
    const found = (await (db as unknown as Kysely<any>)
      .selectFrom(definition.table)
      .select(recordColumns(definition, definition.fields))
      .where(sql<boolean>`(${mine})`)
      .orderBy('seq')
      .execute()) as RecordRow[]
    const isAbout = new Set(about.map(({ name }) => name))
    for (const each of found) {
      const { data, createdAt, updatedAt } = toRecord(each, definition.fields)
      const own = Object.entries(data).filter(([name]) => !isAbout.has(name))
      lines.push({
        list: definition.declaration.title[locale],
        created: iso(createdAt),
        changed: iso(updatedAt),
        data: json(Object.fromEntries(own)),
      })
    }
  }
  return lines
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}

function json(value: object): string | null {
  return Object.keys(value).length === 0 ? null : JSON.stringify(value)
}
