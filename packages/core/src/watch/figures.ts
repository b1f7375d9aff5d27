import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Database, Db } from '../db/database.ts'
import { engineOf } from '../db/rows.ts'

/** How far a stage is behind what it reads. */
export interface StageLag {
  stage: string
  /** What waits: events, changes, messages that are due. */
  waiting: number
  /** How long the first of it waits; null where nothing says so. */
  seconds: number | null
}

export interface ChannelFigure {
  account: string
  channel: string
  name: string
  failures: number
  /** Until when nothing is tried; null while messages go out. */
  openUntil: number | null
}

/** What can be read off the database in a few milliseconds, whatever its size. */
export interface Figures {
  stages: StageLag[]
  /** Jobs that have not ended by state, and those that failed within a day. */
  jobs: Record<string, number>
  channels: ChannelFigure[]
  databaseBytes: number
}

/** What stands in the log of events before a stage is done with it. */
const READERS: Record<string, string> = {
  profiles: 'profiles',
  journeys: 'journeys:events',
  consents: 'consents',
}
/** As things pass through them. */
const ORDER = ['profiles', 'segments', 'journeys', 'deliveries', 'consents', 'tasks']
/** Counting stops here: more than that is simply a lot. */
const MANY = 100_000

export async function readFigures({
  database,
  clock,
}: {
  database: Database
  clock: Clock
}): Promise<Figures> {
  const { db } = database
  const now = clock.now()
  return {
    stages: await readLags(db, now),
    jobs: await countJobs(db, now),
    channels: await readChannels(db),
    databaseBytes: await sizeOf(db),
  }
}

async function readLags(db: Db, now: number): Promise<StageLag[]> {
  const { last } = await db
    .selectFrom('events')
    .select(sql<number>`coalesce(max(seq), 0)`.as('last'))
    .executeTakeFirstOrThrow()
  const positions = new Map(
    (await db.selectFrom('cursors').select(['name', 'position']).execute()).map(({ name, position }) => [
      name,
      position,
    ]),
  )
  const lags: StageLag[] = []
  for (const [stage, cursor] of Object.entries(READERS)) {
    const position = positions.get(cursor)
    // What has never run has nothing to catch up with: it starts from now.
    if (position === undefined && stage !== 'profiles') continue
    const waiting = Math.max(0, last - (position ?? 0))
    const first =
      waiting === 0
        ? undefined
        : await db
            .selectFrom('events')
            .select('received_at')
            .where('seq', '>', position ?? 0)
            .orderBy('seq')
            .limit(1)
            .executeTakeFirst()
    lags.push({ stage, waiting, seconds: first ? secondsSince(first.received_at, now) : 0 })
  }
  const changes = await countUpTo(db, sql`select 1 from profile_changes`)
  lags.push({ stage: 'segments', waiting: changes, seconds: null })
  lags.push(await lagOfDeliveries(db, now))
  const tasks = await countUpTo(db, sql`select 1 from tasks where next_at is not null and next_at <= ${now}`)
  lags.push({ stage: 'tasks', waiting: tasks, seconds: null })
  return lags.toSorted((a, b) => ORDER.indexOf(a.stage) - ORDER.indexOf(b.stage))
}

async function lagOfDeliveries(db: Db, now: number): Promise<StageLag> {
  const { rows } = await sql<{ waiting: number; oldest: number | null }>`
    select count(*) as waiting, min(due_at) as oldest from
      (select due_at from deliveries where state = 'planned' and due_at <= ${now} limit ${MANY}) as due`.execute(
    db,
  )
  const oldest = rows[0]?.oldest
  return {
    stage: 'deliveries',
    waiting: Number(rows[0]?.waiting ?? 0),
    seconds: oldest == null ? 0 : secondsSince(oldest, now),
  }
}

async function countUpTo(db: Db, rows: ReturnType<typeof sql>): Promise<number> {
  const counted = await sql<{ n: number }>`select count(*) as n from (${rows} limit ${MANY}) as r`.execute(db)
  return Number(counted.rows[0]?.n ?? 0)
}

async function countJobs(db: Db, now: number): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('jobs')
    .select((query) => ['state', query.fn.countAll<number>().as('count')])
    .where((where) =>
      where.or([
        where('state', 'in', ['queued', 'running', 'paused']),
        where.and([where('state', '=', 'failed'), where('finished_at', '>', now - 86_400_000)]),
      ]),
    )
    .groupBy('state')
    .execute()
  return { queued: 0, running: 0, paused: 0, failed: 0, ...toRecord(rows) }
}

function toRecord(rows: { state: string; count: number }[]): Record<string, number> {
  return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]))
}

async function readChannels(db: Db): Promise<ChannelFigure[]> {
  const rows = await db
    .selectFrom('channel_accounts')
    .select(['id', 'channel', 'name', 'failures', 'open_until'])
    .where('active', '=', 1)
    .orderBy('id')
    .execute()
  return rows.map(({ id, channel, name, failures, open_until }) => ({
    account: id,
    channel,
    name,
    failures,
    openUntil: open_until,
  }))
}

async function sizeOf(db: Db): Promise<number> {
  const { rows } =
    engineOf(db) === 'postgres'
      ? await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(db)
      : await sql<{ bytes: number }>`
          select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()`.execute(db)
  return Number(rows[0]?.bytes ?? 0)
}

function secondsSince(at: number, now: number): number {
  return Math.max(0, Math.round((now - at) / 1_000))
}
