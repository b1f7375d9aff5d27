import { statfs } from 'node:fs/promises'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import type { Db } from '../db/database.ts'
import { readSentToday } from '../deliveries/budget-use.ts'
import { type Figures, readFigures } from './figures.ts'
import { readTellings } from './notices.ts'
import type { StageTrouble } from './stage-health.ts'
import { targetsOf, wayOf } from './targets.ts'
import { readAlertSettings } from './thresholds.ts'

/** What only the server around the core knows. */
export interface Surroundings {
  /** Plugins that should run and do not. */
  plugins: { id: string; state: 'failed' | 'quarantined' }[]
  backupsPlanned: boolean
}

/** Everything that rules look at, of one moment. */
export interface WatchFacts extends Figures, Surroundings {
  now: number
  /** Local hour of a week ago and so on are found by the brand's zone. */
  timeZone: string
  troubles: StageTrouble[]
  /** Counts by kind and hour, of the last four weeks. */
  hours: Map<string, Map<number, number>>
  deadLetters: number
  overdueTasks: number
  /** What customers asked for as the law lets them, and is not answered. */
  requests: { overdue: number; soon: number }
  unconfirmed: number
  quotas: { account: string; name: string; sent: number; limit: number }[]
  lastBackup: { at: number | null; failed: string | null }
  disk: { free: number; total: number } | null
  failedSignIns: number
  /** Ways on which alerts could not be told, and what each failed of. */
  failedTellings: { way: 'mail' | 'webhook'; error: string }[]
  /** How far the clock went off since the last look, by a clock that nobody sets; milliseconds. */
  clockJump: number
}

export const HOUR_MS = 3_600_000
const WEEKS = 4

export type FactDeps = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points'> & { dataDir: string }

/** Reads what rules look at; none of it takes longer on a large database. */
export async function readFacts(
  deps: FactDeps,
  {
    surroundings,
    troubles,
    clockJump,
  }: {
    surroundings: Surroundings
    troubles: StageTrouble[]
    clockJump: number
  },
): Promise<WatchFacts> {
  const { database, clock, dataDir } = deps
  const { db } = database
  const now = clock.now()
  return {
    ...(await readFigures(deps)),
    ...surroundings,
    now,
    timeZone: (await deps.brand()).timeZone,
    troubles,
    clockJump,
    hours: await readHours(db, now),
    deadLetters: await countWhere(
      db,
      sql`select 1 from delivery_events where kind = 'dead' and at > ${now - HOUR_MS}
          and id > (select coalesce(max(id), 0) - 50000 from delivery_events)`,
    ),
    overdueTasks: await countWhere(
      db,
      sql`select 1 from tasks where state in ('open', 'claimed') and overdue_at is not null`,
    ),
    requests: await countRequests(db, now),
    unconfirmed: await countWhere(
      db,
      sql`select 1 from deliveries where state = 'pending' and sent_at < ${now - 24 * HOUR_MS}`,
    ),
    quotas: await readQuotas(deps),
    lastBackup: await readLastBackup(db),
    disk: await readDisk(dataDir),
    failedSignIns: await countFailedSignIns(db, now),
    failedTellings: await readFailedTellings(db, now),
  }
}

async function countWhere(db: Db, rows: ReturnType<typeof sql>): Promise<number> {
  const { rows: counted } = await sql<{ n: number }>`
    select count(*) as n from (${rows} limit 100000) as r`.execute(db)
  return Number(counted[0]?.n ?? 0)
}

async function countRequests(db: Db, now: number): Promise<WatchFacts['requests']> {
  const open = sql`select 1 from privacy_requests where state in ('open', 'working')`
  const overdue = await countWhere(db, sql`${open} and due_at < ${now}`)
  return { overdue, soon: (await countWhere(db, sql`${open} and remind_at <= ${now}`)) - overdue }
}

async function readHours(db: Db, now: number): Promise<WatchFacts['hours']> {
  const rows = await db
    .selectFrom('watch_hours')
    .selectAll()
    .where('hour', '>', Math.floor(now / HOUR_MS) - WEEKS * 7 * 24 - 2)
    .execute()
  const hours: WatchFacts['hours'] = new Map()
  for (const { kind, hour, count } of rows) {
    const known = hours.get(kind) ?? new Map<number, number>()
    known.set(Number(hour), Number(count))
    hours.set(kind, known)
  }
  return hours
}

async function readQuotas(deps: FactDeps): Promise<WatchFacts['quotas']> {
  const sent = await readSentToday(deps)
  const limits = new Map(
    deps.points.channels.list().map(({ id, value }) => [id, value.limits?.perDay] as const),
  )
  const accounts = await deps.database.db
    .selectFrom('channel_accounts')
    .select(['id', 'name', 'channel'])
    .where('active', '=', 1)
    .execute()
  return accounts.flatMap(({ id, name, channel }) => {
    const limit = limits.get(channel)
    return limit === undefined ? [] : [{ account: id, name, sent: sent.get(id) ?? 0, limit }]
  })
}

async function readLastBackup(db: Db): Promise<WatchFacts['lastBackup']> {
  const rows = await db
    .selectFrom('jobs')
    .select(['state', 'error', 'finished_at'])
    .where('kind', '=', 'backup')
    .where('finished_at', 'is not', null)
    .orderBy('created_at', 'desc')
    .limit(50)
    .execute()
  const [last] = rows
  const error = last?.state === 'failed' ? (JSON.parse(last.error ?? '{}') as { code?: string }) : undefined
  return {
    at: rows.find(({ state }) => state === 'done')?.finished_at ?? null,
    failed: error ? (error.code ?? 'E_UNEXPECTED') : null,
  }
}

async function readDisk(folder: string): Promise<WatchFacts['disk']> {
  const found = await statfs(folder).catch(() => undefined)
  return found ? { free: found.bavail * found.bsize, total: found.blocks * found.bsize } : null
}

async function readFailedTellings(db: Db, now: number): Promise<WatchFacts['failedTellings']> {
  const targets = targetsOf(await readAlertSettings(db)).map(({ id }) => id)
  const tellings = await readTellings(db, targets, now)
  const failed = tellings.filter(({ error, waiting }) => error !== null && waiting > 0)
  const ways = new Map(failed.map(({ target, error }) => [wayOf(target), error ?? '']))
  return [...ways].map(([way, error]) => ({ way, error }))
}

/** Attempts are counted by account and by address; those by account are each counted once. */
async function countFailedSignIns(db: Db, now: number): Promise<number> {
  const { rows } = await sql<{ n: number | null }>`
    select sum(failures) as n from sign_in_attempts where key like 'account:%' and since > ${now - 900_000}`.execute(
    db,
  )
  return Number(rows[0]?.n ?? 0)
}
