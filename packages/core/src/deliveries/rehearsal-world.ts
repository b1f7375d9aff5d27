import { sql } from 'kysely'
import type { Database, Db } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { rowsOf, type SqlType } from '../db/rows.ts'
import type { KnownJourneys } from '../journeys/known.ts'
import { isFolded } from '../profiles/columns.ts'
import type { Tables } from '../schema.ts'
import { CONTACT_COLUMNS } from './contact-counts.ts'

/** Something that happened, in the order of time. */
export type PastEvent =
  | { ts: number; customer_id: number; name: string; body: string }
  | { ts: number; customer_id: number; segment_id: string; entered: number }

/** What a journey would have heard of in that time, and the customers concerned. */
export async function readPast(
  db: Db,
  {
    names,
    from,
    to,
    signal,
  }: { names: KnownJourneys; from: number; to: number; signal: AbortSignal | undefined },
): Promise<{ events: PastEvent[]; customers: Set<number> }> {
  const happened = names.events.size === 0 ? [] : await readHappened(db, { names, from, to, signal })
  const moved =
    names.segments.size === 0
      ? []
      : await db
          .selectFrom('segment_changes')
          .where('segment_id', 'in', [...names.segments])
          .where('at', '>=', from)
          .where('at', '<=', to)
          .select(['at as ts', 'customer_id', 'segment_id', 'entered'])
          .execute()
  const events: PastEvent[] = [...happened, ...moved].toSorted((a, b) => a.ts - b.ts)
  return { events, customers: new Set(events.map(({ customer_id }) => customer_id)) }
}

const PIECE = 2_000

/** In pieces, so that nothing else on this thread waits for all of them. */
async function readHappened(
  db: Db,
  {
    names,
    from,
    to,
    signal,
  }: { names: KnownJourneys; from: number; to: number; signal: AbortSignal | undefined },
): Promise<PastEvent[]> {
  const happened: PastEvent[] = []
  for (let after = 0; ;) {
    signal?.throwIfAborted()
    const rows = await db
      .selectFrom('timeline')
      .innerJoin('events', 'events.seq', 'timeline.seq')
      .where('timeline.seq', '>', after)
      .where('timeline.name', 'in', [...names.events])
      .where('timeline.ts', '>=', from)
      .where('timeline.ts', '<=', to)
      .where('timeline.current', '=', 1)
      .select(['timeline.seq', 'timeline.ts', 'timeline.customer_id', 'timeline.name', 'events.body'])
      .orderBy('timeline.seq')
      .limit(PIECE)
      .execute()
    for (const { ts, customer_id, name, body } of rows) happened.push({ ts, customer_id, name, body })
    const last = rows.at(-1)
    if (!last || rows.length < PIECE) return happened
    after = last.seq
  }
}

/** Lets everything else on this thread have its turn: calls of SQLite do not yield by themselves. */
export function othersTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
const TYPES: Record<string, [SqlType, string]> = {
  number: ['real', 'double precision'],
  integer: ['integer', 'bigint'],
  money: ['integer', 'bigint'],
  time: ['integer', 'bigint'],
  boolean: ['integer', 'integer'],
}

/** Copies what rules and guards read: the customers named, or all of them, as they are now. */
export async function copyWorld(
  from: Db,
  { db }: Database,
  { only, signal }: { only: Set<number> | undefined; signal: AbortSignal | undefined },
): Promise<void> {
  const columns = await from.selectFrom('profile_columns').selectAll().execute()
  for (const column of columns) {
    await db
      .insertInto('profile_columns')
      .values(column)
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  const own = columns.filter((column) => column.kind !== 'core' || !isFolded(column))
  for (const { name, type } of own)
    await sql`alter table profiles add column ${sql.ref(name)} ${sql.raw(TYPES[type]?.[1] ?? 'text')}`.execute(
      db,
    )
  await copyConsentTexts(from, db)
  const segments = await from.selectFrom('segments').selectAll().execute()
  for (const segment of segments) await db.insertInto('segments').values(segment).execute()
  const dynamic = Object.fromEntries(own.map(({ name, type }) => [name, TYPES[type]?.[0] ?? 'text'] as const))
  for await (const ids of pieces(from, only)) {
    signal?.throwIfAborted()
    const wanted = () => rowsOf(from, ids, { id: 'integer' })
    const profiles = await from
      .selectFrom(wanted())
      .innerJoin('profiles', 'profiles.customer_id', 'r.id')
      .selectAll('profiles')
      .execute()
    await copy(db, 'profiles', profiles, {
      customer_id: 'integer',
      key: 'text',
      first_seen_at: 'integer',
      last_seen_at: 'integer',
      event_count: 'integer',
      ...dynamic,
    })
    const identifiers = await from
      .selectFrom(wanted())
      .innerJoin('identifiers', 'identifiers.customer_id', 'r.id')
      .selectAll('identifiers')
      .execute()
    await copy(db, 'identifiers', identifiers, {
      id: 'integer',
      kind: 'text',
      value: 'text',
      customer_id: 'integer',
      first_seen_at: 'integer',
      lookup: 'text',
      tail: 'text',
    })
    const consents = await from
      .selectFrom(wanted())
      .innerJoin('identifiers', 'identifiers.customer_id', 'r.id')
      .innerJoin('consents', 'consents.customer_id', 'identifiers.id')
      .selectAll('consents')
      .execute()
    await copy(db, 'consents', consents, {
      customer_id: 'integer',
      channel: 'text',
      purpose: 'text',
      state: 'text',
      at: 'integer',
      source: 'text',
      text_id: 'text',
      text_version: 'integer',
    })
    await copyAnswers(from, db, ids)
    await othersTurn()
  }
}

/** Texts say which consents count no more. */
async function copyConsentTexts(from: Db, db: Db): Promise<void> {
  const texts = await from.selectFrom('consent_texts').selectAll().execute()
  const versions = await from
    .selectFrom('consent_text_versions')
    .selectAll()
    .where('ask_again_from', 'is not', null)
    .execute()
  if (versions.length === 0) return
  await db.insertInto('consent_texts').values(texts).execute()
  await db.insertInto('consent_text_versions').values(versions).execute()
}

/** How customers answer, which chooses channels for them; silences belong to the present and begin anew. */
async function copyAnswers(from: Db, db: Db, ids: readonly { id: number }[]): Promise<void> {
  const answers = await from
    .selectFrom(rowsOf(from, ids, { id: 'integer' }))
    .innerJoin('identifiers', 'identifiers.customer_id', 'r.id')
    .innerJoin('contact_channels', 'contact_channels.customer_id', 'identifiers.id')
    .selectAll('contact_channels')
    .execute()
  const fresh = answers.map((row) => ({ ...row, unopened: 0, last_sent_at: null, last_opened_at: null }))
  await copy(db, 'contact_channels', fresh, {
    ...CONTACT_COLUMNS,
    last_sent_at: 'integer',
    last_opened_at: 'integer',
    bounced: 'integer',
    undeliverable_upto: 'integer',
    undeliverable_at: 'integer',
  })
}

async function* pieces(db: Db, only: Set<number> | undefined): AsyncGenerator<{ id: number }[]> {
  if (only) {
    const ids = [...only]
    for (let at = 0; at < ids.length; at += PIECE) yield ids.slice(at, at + PIECE).map((id) => ({ id }))
    return
  }
  for (let after = 0; ;) {
    const rows = await db
      .selectFrom('profiles')
      .select('customer_id as id')
      .where('customer_id', '>', after)
      .orderBy('customer_id')
      .limit(PIECE)
      .execute()
    if (rows.length === 0) return
    yield rows
    after = rows.at(-1)?.id ?? after
  }
}

async function copy(
  db: Db,
  table: keyof Tables,
  rows: readonly object[],
  columns: Record<string, SqlType>,
): Promise<void> {
  await db
    .transaction()
    .execute((tx) => insertRows(tx, table, { rows: rows as Record<string, unknown>[], columns }))
}
