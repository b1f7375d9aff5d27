import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { JsonSchema } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { v7 as uuid } from 'uuid'
import { copyContent } from '../content/copy-content.ts'
import type { CoreContext } from '../context.ts'
import { writeCursor, readCursor } from '../db/cursor.ts'
import { businessDaysIn } from '../days.ts'
import { type Database, openDatabase, transact } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { migrate } from '../db/migrate.ts'
import { mistaken, parseDefinition } from '../journeys/parse-definition.ts'
import type { JourneyDefinition } from '../journeys/definition.ts'
import { KnownJourneys } from '../journeys/known.ts'
import { checkJourney } from '../journeys/queries.ts'
import { nextRun } from '../journeys/runs.ts'
import { JourneyStage } from '../journeys/stage.ts'
import { createPoints } from '../points/points.ts'
import { PROFILES_CURSOR } from '../profiles/project.ts'
import { coreMigrations } from '../schema.ts'
import { writeSetting } from '../settings/brand.ts'
import { copyWorld, othersTurn, type PastEvent, readPast } from './rehearsal-world.ts'
import type { StoredChoice } from './apply-choice.ts'
import { Deliveries } from './dispatch.ts'
import { readContactPolicy } from './policy.ts'

const DAY = 86_400_000
/** Events that come in within this are handed over together. */
const STEP = 10 * 60_000

export interface Rehearsal {
  from: number
  to: number
  /** Customers who would have come in, and how many of them would have been held out. */
  entered: number
  heldOut: number
  goals: { treated: number; holdout: number }
  /** Messages by step and channel. */
  messages: { node: string; channel: string; sent: number; refused: number; waiting: number }[]
  /** What would have kept messages back: caps, quotas, quiet hours … */
  refusals: { reason: string; count: number }[]
  /** Which channel came first for how many messages with several, and why. */
  choices: { choice: StoredChoice; count: number }[]
  actions: number
  days: { day: string; entered: number; sent: number; refused: number }[]
}

/**
 * Runs a draft over what happened in the last days, on a clock of its own and in a database of its own: nobody hears
 * of it. Customers are taken as they are now; conditions and gates of plugins are asked, as on that day.
 */
export async function rehearseJourney(
  context: CoreContext,
  input: { definition: unknown; days: number; signal?: AbortSignal; onProgress?: (share: number) => void },
): Promise<Rehearsal> {
  const definition = parseDefinition(input.definition)
  const mistakes = await checkJourney(context, definition)
  if (mistakes.length > 0) throw mistaken(mistakes)
  const to = context.clock.now()
  const from = to - input.days * DAY
  await sweepFolders()
  const folder = await mkdtemp(path.join(tmpdir(), `${FOLDER}${process.pid}-`))
  const { vault } = context.database
  const dry = openDatabase({ file: path.join(folder, 'dry.db'), readers: 1, vault })
  try {
    await migrate(dry, 'core', coreMigrations)
    await sql`pragma synchronous = off`.execute(dry.db)
    const names = new KnownJourneys(
      new Map([
        [
          'draft',
          {
            id: 'draft',
            name: '',
            state: 'live',
            entry: { version: 1, definition },
            versions: new Map([[1, definition]]),
            stoppedUpTo: 0,
          },
        ],
      ]),
    )
    const past = await readPast(context.database.analytics, { names, from, to, signal: input.signal })
    const isForEverybody = definition.trigger.type === 'date' || definition.trigger.type === 'schedule'
    await copyWorld(context.database.analytics, dry, {
      only: isForEverybody ? undefined : past.customers,
      signal: input.signal,
    })
    await writeSetting(dry.db, 'brand', await context.brand())
    await copyContent(context.database.analytics, dry)
    await writeSetting(dry.db, 'contactPolicy', await readContactPolicy(context.database.db))
    const clock = { time: from, now: () => clock.time }
    const stages = dryStages(context, dry, clock)
    const id = await publishDry(dry, definition, { timeZone: (await context.brand()).timeZone, from })
    await play({ dry, clock, stages, to, from, past: past.events, input })
    return await report(dry, { id, from, to, timeZone: (await context.brand()).timeZone })
  } finally {
    await dry.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const FOLDER = 'huitou-rehearsal-'

/** What a server that was killed in the middle left lying is customers' data, and nobody's any more. */
async function sweepFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(FOLDER) ? Number(/^\d+(?=-)/.exec(name.slice(FOLDER.length))?.[0]) : NaN
    if (Number.isInteger(pid) && !isAlive(pid))
      await rm(path.join(tmpdir(), name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process may not be signalled, but it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Rows of one piece of work: a rehearsal runs beside the server's requests, which wait for no more than this. */
const PIECE = 500

/** Channels that declare what the real ones do and take everything. */
function dryStages({ points, log, brand, jobs }: CoreContext, database: Database, clock: { now(): number }) {
  const dryPoints = createPoints()
  for (const { owner, id, value } of points.channels.list()) {
    dryPoints.channels.add(owner, id, {
      ...value,
      run: { send: ({ deliveries }) => deliveries.map(({ key }) => ({ key, outcome: 'sent' as const })) },
    })
  }
  for (const { owner, id, value } of points.actions.list())
    dryPoints.actions.add(owner, id, { ...value, run: () => sampleOf(value.output) })
  // Who only looks may be asked: neither writes anything.
  for (const { owner, id, value } of points.conditions.list()) dryPoints.conditions.add(owner, id, value)
  for (const { owner, id, value } of points.gates.list()) dryPoints.gates.add(owner, id, value)
  const context: CoreContext = { database, clock, log, brand, jobs, points: dryPoints }
  return {
    journeys: new JourneyStage(context, { pieces: { size: PIECE, rest: othersTurn } }),
    deliveries: new Deliveries(context),
  }
}

/** What an action may have answered, so that later steps have something to say. */
function sampleOf(schema: JsonSchema | undefined): Record<string, unknown> {
  const properties = (schema?.['properties'] ?? {}) as Record<string, { type?: string; examples?: unknown[] }>
  return Object.fromEntries(
    Object.entries(properties).map(([name, { type, examples }]) => [
      name,
      examples?.[0] ?? (type === 'number' || type === 'integer' ? 0 : type === 'boolean' ? false : '…'),
    ]),
  )
}

async function publishDry(
  dry: Database,
  definition: JourneyDefinition,
  { timeZone, from }: { timeZone: string; from: number },
): Promise<string> {
  const id = uuid()
  await dry.db
    .insertInto('journeys')
    .values({
      id,
      name: '',
      state: 'live',
      published_version: 1,
      draft: '{}',
      created_at: from,
      updated_at: from,
      next_run_at: nextRun(definition.trigger, timeZone, from),
      run_at: null,
      run_after: null,
    })
    .execute()
  await dry.db
    .insertInto('journey_versions')
    .values({
      journey_id: id,
      version: 1,
      definition: JSON.stringify(definition),
      published_at: from,
      published_by: 'rehearsal',
    })
    .execute()
  return id
}

interface Play {
  dry: Database
  clock: { time: number }
  stages: ReturnType<typeof dryStages>
  from: number
  to: number
  past: PastEvent[]
  input: { signal?: AbortSignal; onProgress?: (share: number) => void }
}

/** From one moment at which something happens to the next, until the present. */
async function play({ dry, clock, stages, from, to, past, input }: Play): Promise<void> {
  let done = 0
  while (clock.time < to) {
    input.signal?.throwIfAborted()
    const nextEvent = past[done]
    const due = await nextDue(dry)
    const events = nextEvent ? Math.floor(nextEvent.ts / STEP) * STEP + STEP : Infinity
    // At least a millisecond on, so that it ends whatever is due.
    clock.time = Math.max(clock.time + 1, Math.min(events, due ?? Infinity, to))
    let end = done
    while (past[end] && (past[end] as PastEvent).ts <= clock.time) end++
    for (; done < end; done += PIECE) {
      input.signal?.throwIfAborted()
      await addPast(dry, past.slice(done, Math.min(done + PIECE, end)))
      await othersTurn()
    }
    done = end
    for (let more = true; more;) {
      input.signal?.throwIfAborted()
      more = (await stages.journeys.advance()) || (await stages.deliveries.advance())
      await othersTurn()
    }
    input.onProgress?.((clock.time - from) / (to - from))
  }
  await stages.deliveries.finish()
}

async function nextDue({ db }: Database): Promise<number | undefined> {
  const { rows } = await sql<{ due: number | null }>`
    select min(due) as due from (
      select min(due_at) as due from enrolments where due_at is not null
      union all select min(due_at) from deliveries where state = 'planned'
      union all select min(next_run_at) from journeys) as moments`.execute(db)
  return rows[0]?.due ?? undefined
}

async function addPast(dry: Database, events: readonly PastEvent[]): Promise<void> {
  await transact(dry.db, async (tx) => {
    const { last } = await tx
      .selectFrom('events')
      .select(({ fn }) => fn.max('seq').as('last'))
      .executeTakeFirstOrThrow()
    const first = Number(last ?? 0) + 1
    const happened = events.filter((event) => 'name' in event)
    await insertRows(tx, 'events', {
      rows: happened.map(({ ts, name, body }, index) => ({
        seq: first + index,
        message_id: `past-${first + index}`,
        source: 'past',
        type: 'track',
        name,
        ts,
        received_at: ts,
        version: ts,
        body,
      })),
      columns: {
        seq: 'integer',
        message_id: 'text',
        source: 'text',
        type: 'text',
        name: 'text',
        ts: 'integer',
        received_at: 'integer',
        version: 'integer',
        body: 'json',
      },
    })
    await insertRows(tx, 'timeline', {
      rows: happened.map(({ ts, name, customer_id }, index) => ({
        seq: first + index,
        customer_id,
        identifier_id: customer_id,
        ts,
        name,
        version: ts,
        current: 1,
      })),
      columns: {
        seq: 'integer',
        customer_id: 'integer',
        identifier_id: 'integer',
        ts: 'integer',
        name: 'text',
        version: 'integer',
        current: 'integer',
      },
    })
    const moved = events.filter((event) => 'segment_id' in event)
    await insertRows(tx, 'segment_changes', {
      rows: moved.map(({ ts, segment_id, customer_id, entered }) => ({
        segment_id,
        customer_id,
        at: ts,
        entered,
      })),
      columns: { segment_id: 'text', customer_id: 'integer', at: 'integer', entered: 'integer' },
    })
    await readCursor(tx, PROFILES_CURSOR)
    await writeCursor(tx, PROFILES_CURSOR, first + happened.length - 1)
  })
}

async function report(
  { db }: Database,
  { id, from, to, timeZone }: { id: string; from: number; to: number; timeZone: string },
): Promise<Rehearsal> {
  const stats = await db.selectFrom('journey_stats').selectAll().where('journey_id', '=', id).execute()
  const countOf = (node: string, outcome: string) =>
    stats
      .filter((row) => row.node === node && row.outcome === outcome)
      .reduce((sum, { count }) => sum + Number(count), 0)
  const deliveries = await inPieces(
    async (after) =>
      await db
        .selectFrom('deliveries')
        .select(['id', 'kind', 'node', 'channel', 'state', 'reason', 'updated_at', 'choice'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(PIECE)
        .execute(),
  )
  const messages = deliveries.filter(({ kind }) => kind === 'message')
  const groups = Map.groupBy(messages, ({ node, channel }) => `${node ?? ''}\n${channel}`)
  const entered = await inPieces(
    async (after) =>
      await db
        .selectFrom('enrolments')
        .select(['id', 'entered_at'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(PIECE)
        .execute(),
  )
  const days = new Map<string, { day: string; entered: number; sent: number; refused: number }>()
  const calendar = businessDaysIn(timeZone)
  const dayOf = (at: number) => {
    const day = calendar.textOf(calendar.dayOf(at))
    const known = days.get(day) ?? { day, entered: 0, sent: 0, refused: 0 }
    days.set(day, known)
    return known
  }
  for (const { entered_at } of entered) dayOf(entered_at).entered++
  for (const { state, updated_at } of messages) {
    if (state === 'sent') dayOf(updated_at).sent++
    if (state === 'refused') dayOf(updated_at).refused++
  }
  const refused = Map.groupBy(
    messages.filter(({ state }) => state === 'refused'),
    ({ reason }) => reason ?? '',
  )
  return {
    from,
    to,
    entered: countOf('$entry', 'treated') + countOf('$entry', 'holdout'),
    heldOut: countOf('$entry', 'holdout'),
    goals: { treated: countOf('$goal', 'treated'), holdout: countOf('$goal', 'holdout') },
    messages: [...groups].map(([key, rows]) => {
      const [node = '', channel = ''] = key.split('\n')
      const count = (state: string) => rows.filter((row) => row.state === state).length
      return { node, channel, sent: count('sent'), refused: count('refused'), waiting: count('planned') }
    }),
    refusals: [...refused]
      .map(([reason, rows]) => ({ reason, count: rows.length }))
      .toSorted((a, b) => b.count - a.count),
    choices: toChoices(messages.map(({ choice }) => choice)),
    actions: deliveries.length - messages.length,
    days: [...days.values()].toSorted((a, b) => (a.day < b.day ? -1 : 1)),
  }
}

/** All rows, read piece by piece in the order of their ids. */
async function inPieces<R extends { id: number }>(read: (after: number) => Promise<R[]>): Promise<R[]> {
  const all: R[] = []
  for (let after = 0; ;) {
    const rows = await read(after)
    all.push(...rows)
    const last = rows.at(-1)
    if (!last || rows.length < PIECE) return all
    after = last.id
    await othersTurn()
  }
}

/** The share of answers is each customer's own: those who are written to for it are counted together. */
function toChoices(stored: readonly (string | null)[]): Rehearsal['choices'] {
  const all = stored.filter((choice) => choice !== null).map((choice) => JSON.parse(choice) as StoredChoice)
  const groups = Map.groupBy(all, (choice) =>
    JSON.stringify([choice.channel, choice.by, choice.by === 'rule' ? [choice.name, choice.rule] : null]),
  )
  return [...groups.values()]
    .map((same) => ({ choice: same[0]!, count: same.length }))
    .toSorted((a, b) => b.count - a.count)
}

/** Lets rehearsals be put in line as jobs; the result is the job's. */
export function defineRehearsalJob(context: CoreContext): void {
  context.jobs.define('journey-rehearsal', async ({ job, signal, progress }) => {
    const rehearsal = await rehearseJourney(context, {
      definition: job.payload['definition'],
      days: Number(job.payload['days'] ?? 90),
      signal,
      onProgress: (share) => progress({ done: Math.round(share * 100), total: 100, unit: 'percent' }),
    })
    return { ...rehearsal }
  })
}
