import { sql } from 'kysely'
import type { Tables } from '../schema.ts'
import type { Database, Db } from './database.ts'
import { engineOf } from './rows.ts'

/** What a check found wrong; nothing when all is well. */
export interface Inconsistency {
  /** `relation`, `cursor` or `column`. */
  kind: 'relation' | 'cursor' | 'column'
  subject: string
  detail: string
}

type Table = keyof Tables

/** `child.column` always names a row of `parent`. The database does not watch over these: writes would pay for it. */
const RELATIONS: { child: Table; column: string; parent: Table; key: string }[] = [
  { child: 'timeline', column: 'seq', parent: 'events', key: 'seq' },
  { child: 'timeline', column: 'identifier_id', parent: 'identifiers', key: 'id' },
  { child: 'profiles', column: 'customer_id', parent: 'identifiers', key: 'customer_id' },
  { child: 'identifiers', column: 'customer_id', parent: 'identifiers', key: 'id' },
  { child: 'segment_members', column: 'segment_id', parent: 'segments', key: 'id' },
  { child: 'journey_versions', column: 'journey_id', parent: 'journeys', key: 'id' },
  { child: 'enrolments', column: 'journey_id', parent: 'journeys', key: 'id' },
  { child: 'enrolment_steps', column: 'enrolment_id', parent: 'enrolments', key: 'id' },
  { child: 'delivery_events', column: 'delivery_id', parent: 'deliveries', key: 'id' },
  { child: 'message_links', column: 'delivery_id', parent: 'deliveries', key: 'id' },
  { child: 'task_events', column: 'task_id', parent: 'tasks', key: 'id' },
  { child: 'content_template_versions', column: 'template_id', parent: 'content_templates', key: 'id' },
  { child: 'experiment_exposures', column: 'experiment_id', parent: 'experiments', key: 'id' },
  { child: 'plugin_versions', column: 'plugin_id', parent: 'plugins', key: 'id' },
]

/** What each cursor reads; a cursor beyond the last number given would step over what comes next. */
const CURSORS: Record<string, Table> = {
  profiles: 'events',
  'journeys:events': 'events',
  consents: 'events',
  'journeys:segments': 'segment_changes',
}

/**
 * Looks for rows that belong to nothing, cursors that have overtaken what they read, and columns that are registered
 * and not there. Reads whole tables: for `huitou doctor`, not for every minute.
 */
export async function findInconsistencies({ db, analytics }: Database): Promise<Inconsistency[]> {
  const found: Inconsistency[] = []
  for (const relation of RELATIONS) {
    const lost = await countLost(analytics, relation)
    const { child, column, parent, key } = relation
    if (lost > 0)
      found.push({
        kind: 'relation',
        subject: `${child}.${column}`,
        detail: `${lost} rows of ${child} name a ${parent}.${key} that is not there`,
      })
  }
  return [...found, ...(await findOvertaken(db)), ...(await findMissingColumns(db))]
}

async function countLost(db: Db, relation: (typeof RELATIONS)[number]): Promise<number> {
  const child = sql.ref(`c.${relation.column}`)
  const { rows } = await sql<{ lost: number }>`
    select count(*) as lost from ${sql.table(relation.child)} c
    where ${child} is not null and not exists
      (select 1 from ${sql.table(relation.parent)} p where ${sql.ref(`p.${relation.key}`)} = ${child})`.execute(
    db,
  )
  return Number(rows[0]?.lost ?? 0)
}

async function findOvertaken(db: Db): Promise<Inconsistency[]> {
  const found: Inconsistency[] = []
  // The position first: what is written meanwhile only moves the last number on.
  for (const { name, position } of await db.selectFrom('cursors').selectAll().execute()) {
    const table = CURSORS[name]
    if (!table) continue
    const last = await lastNumber(db, table)
    if (position > last)
      found.push({
        kind: 'cursor',
        subject: name,
        detail: `${name} has read up to ${position}, and ${table} ends at ${last}`,
      })
  }
  return found
}

/** The last `seq` given out, also when its row is gone. */
async function lastNumber(db: Db, table: Table): Promise<number> {
  const { rows } =
    engineOf(db) === 'postgres'
      ? await sql<{ last: number | null }>`
          select pg_sequence_last_value(pg_get_serial_sequence(${table}, 'seq')::regclass) as last`.execute(
          db,
        )
      : await sql<{
          last: number | null
        }>`select seq as last from sqlite_sequence where name = ${table}`.execute(db)
  return Number(rows[0]?.last ?? 0)
}

async function findMissingColumns(db: Db): Promise<Inconsistency[]> {
  const tables = await db.introspection.getTables()
  const there = new Set(tables.find(({ name }) => name === 'profiles')?.columns.map(({ name }) => name))
  const registered = await db.selectFrom('profile_columns').select('name').execute()
  return registered
    .filter(({ name }) => !there.has(name))
    .map(({ name }) => ({
      kind: 'column' as const,
      subject: name,
      detail: `the column ${name} is registered, and profiles do not have it`,
    }))
}
