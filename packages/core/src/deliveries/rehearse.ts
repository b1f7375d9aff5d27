import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { JsonSchema } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { v7 as uuid } from 'uuid'
import { copyContent } from '../content/copy-content.ts'
import type { CoreContext } from '../context.ts'
import { writeCursor, readCursor } from '../db/cursor.ts'
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
import { makeRehearsalFolder } from './rehearsal-folder.ts'
import { PIECE, readRehearsal, type Rehearsal } from './rehearsal-report.ts'
import { copyWorld, othersTurn, type PastEvent, readPast } from './rehearsal-world.ts'
import { Deliveries } from './dispatch.ts'
import { readContactPolicy } from './policy.ts'

const DAY = 86_400_000
/** Events that come in within this are handed over together. */
const STEP = 10 * 60_000

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
  const folder = await makeRehearsalFolder()
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
    return await readRehearsal(dry, { id, from, to, timeZone: (await context.brand()).timeZone })
  } finally {
    await dry.close()
    await rm(folder, { recursive: true, force: true })
  }
}

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
