import { type Core, type Database, findInconsistencies, verifyAuditLog } from '@huitou/core'
import { sql } from 'kysely'
import { doubtful, failing, fine, type Finding } from './finding.ts'

const SHOWN = 5
/** Two clocks may differ by this much without anybody minding. */
const CLOCK_MS = 60_000

/** Whether the file is whole, page by page; PostgreSQL watches over its own. */
export async function examineDatabase(database: Database): Promise<Finding> {
  if (database.engine === 'postgres') {
    const { rows } = await sql<{ version: string }>`select version() as version`.execute(database.db)
    return fine('database', rows[0]?.version ?? 'answers')
  }
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check(5)`.execute(database.db)
  const wrong = rows.filter(({ integrity_check }) => integrity_check !== 'ok')
  return wrong.length === 0
    ? fine('database', 'intact')
    : failing('database', wrong.map((row) => row.integrity_check).join('; '))
}

/** Whether everything that a row names is there, and customers and their events agree. */
export async function examineRelations(database: Database): Promise<Finding> {
  const wrong = (await findInconsistencies(database)).map(({ detail }) => detail)
  const { rows } = await sql<{ n: number }>`
    select count(*) as n from (select distinct customer_id from timeline where current = 1) t
    where not exists (select 1 from profiles p where p.customer_id = t.customer_id)`.execute(
    database.analytics,
  )
  const without = Number(rows[0]?.n ?? 0)
  if (without > 0) wrong.push(`${without} customers have no profile; run huitou replay`)
  if (wrong.length === 0) return fine('relations', 'everything that is named is there')
  const more = wrong.length > SHOWN ? `; and ${wrong.length - SHOWN} more` : ''
  return failing('relations', wrong.slice(0, SHOWN).join('; ') + more)
}

/** Whether the audit log still is what was written. */
export async function examineAuditLog({ db }: Database): Promise<Finding> {
  const { ok, entries, brokenAt, missing } = await verifyAuditLog(db)
  if (ok) return fine('audit log', `${entries} entries, none changed`)
  return failing(
    'audit log',
    brokenAt === null
      ? `${missing} entries are missing at its end`
      : `entry ${brokenAt} or one before it was changed`,
  )
}

/** How far the first stage is behind. */
export async function examineStages({ db }: Database): Promise<Finding> {
  const { last } = await db
    .selectFrom('events')
    .select(sql<number>`coalesce(max(seq), 0)`.as('last'))
    .executeTakeFirstOrThrow()
  const cursor = await db
    .selectFrom('cursors')
    .select('position')
    .where('name', '=', 'profiles')
    .executeTakeFirst()
  const lag = Math.max(0, last - (cursor?.position ?? 0))
  return fine('stages', lag === 0 ? 'every event is folded' : `${lag} events wait to be folded`)
}

/** Whether this machine's clock agrees with the database's, and with what was written before. */
export async function examineClock({ database, clock }: Pick<Core, 'database' | 'clock'>): Promise<Finding> {
  const apart = await clockApart(database)
  if (Math.abs(apart) > CLOCK_MS)
    return failing('clock', `${seconds(apart)} apart from the database server's; have both set by NTP`)
  const { newest } = await database.db
    .selectFrom('events')
    .select(sql<number>`coalesce(max(received_at), 0)`.as('newest'))
    // The newest rows are enough, and there is an index on nothing else.
    .where('seq', '>', sql<number>`(select coalesce(max(seq), 0) - 1000 from events)`)
    .executeTakeFirstOrThrow()
  const ahead = newest - clock.now()
  if (ahead > CLOCK_MS)
    return doubtful(
      'clock',
      `the newest event was received ${seconds(ahead)} from now: the clock was set back; what is planned waits that long`,
    )
  return fine('clock', new Date(clock.now()).toISOString())
}

async function clockApart(database: Database): Promise<number> {
  if (database.engine !== 'postgres') return 0
  const { rows } = await sql<{
    at: number
  }>`select (extract(epoch from clock_timestamp()) * 1000)::bigint as at`.execute(database.db)
  return rows[0] ? Date.now() - rows[0].at : 0
}

function seconds(milliseconds: number): string {
  return `${Math.round(Math.abs(milliseconds) / 1_000)} s`
}
