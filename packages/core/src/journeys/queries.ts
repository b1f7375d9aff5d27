import { notFound, userError } from '@huitou/plugin-api'
import { v7 as uuid } from 'uuid'
import type { CoreContext } from '../context.ts'
import { readCursor, writeCursor } from '../db/cursor.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import { readTemplates, templatesIn } from '../content/templates.ts'
import { PROFILES_CURSOR } from '../profiles/project.ts'
import { readScope } from '../segments/compile.ts'
import { checkDefinition } from './check.ts'
import { type JourneyMistake, mistaken, parseDefinition } from './parse-definition.ts'
import type { JourneyDefinition } from './definition.ts'
import { EVENTS_CURSOR, positionOf } from './follow-events.ts'
import { lastChange, SEGMENTS_CURSOR } from './follow-segments.ts'
import { nextRun } from './runs.ts'
import type { JourneyTables } from './tables.ts'

type Context = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points'>

export interface Journey {
  id: string
  name: string
  state: JourneyTables['journeys']['state']
  publishedVersion: number | null
  draft: JourneyDefinition
  updatedAt: number
}

export interface JourneySummary extends Omit<Journey, 'draft'> {
  active: number
  entered: number
}

/** Makes a draft. It has to be well formed, but may still name what is not there. */
export async function createJourney(
  { database, clock }: Context,
  { name, definition }: { name: string; definition: unknown },
): Promise<Journey> {
  const draft = parseDefinition(definition)
  const now = clock.now()
  const id = uuid()
  await database.db
    .insertInto('journeys')
    .values({
      id,
      name,
      state: 'draft',
      published_version: null,
      draft: JSON.stringify(draft),
      created_at: now,
      updated_at: now,
      next_run_at: null,
      run_at: null,
      run_after: null,
    })
    .execute()
  return await getJourney(database.db, id)
}

export async function getJourney(db: Db | Tx, id: string): Promise<Journey> {
  const row = await db.selectFrom('journeys').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw notFound('Journey', id)
  return {
    id,
    name: row.name,
    state: row.state,
    publishedVersion: row.published_version,
    draft: JSON.parse(row.draft) as JourneyDefinition,
    updatedAt: row.updated_at,
  }
}

/** Newest first, with how many are under way. */
export async function listJourneys(db: Db): Promise<JourneySummary[]> {
  const rows = await db
    .selectFrom('journeys')
    .select(['id', 'name', 'state', 'published_version as publishedVersion', 'updated_at as updatedAt'])
    .orderBy('created_at', 'desc')
    .execute()
  const active = await db
    .selectFrom('enrolments')
    .select(['journey_id', (enrolment) => enrolment.fn.countAll<number>().as('count')])
    .where('ended_at', 'is', null)
    .where('version', '>', 0)
    .groupBy('journey_id')
    .execute()
  const entered = await db
    .selectFrom('journey_stats')
    .select(['journey_id', (stat) => stat.fn.sum<number>('count').as('count')])
    .where('node', '=', '$entry')
    .where('version', '>', 0)
    .groupBy('journey_id')
    .execute()
  const countIn = (counts: { journey_id: string; count: number }[], id: string) =>
    Number(counts.find(({ journey_id }) => journey_id === id)?.count ?? 0)
  return rows.map((row) => ({
    ...row,
    active: countIn(active, row.id),
    entered: countIn(entered, row.id),
  }))
}

/**
 * Changes the draft. With `basedOn`, the `updatedAt` that the change was made on, it is refused (`E_JOURNEY_CHANGED`)
 * when somebody else changed the journey since.
 */
export async function updateJourney(
  { database, clock }: Context,
  id: string,
  {
    name,
    definition,
    basedOn,
  }: { name?: string | undefined; definition?: unknown; basedOn?: number | undefined },
): Promise<Journey> {
  const draft = definition === undefined ? undefined : JSON.stringify(parseDefinition(definition))
  const { numUpdatedRows } = await database.db
    .updateTable('journeys')
    .set({ updated_at: clock.now(), ...(name === undefined ? {} : { name }), ...(draft ? { draft } : {}) })
    .where('id', '=', id)
    .$if(basedOn !== undefined, (query) => query.where('updated_at', '=', basedOn as number))
    .executeTakeFirst()
  const journey = await getJourney(database.db, id)
  if (Number(numUpdatedRows) === 0)
    throw userError('E_JOURNEY_CHANGED', `Somebody else changed journey "${journey.name}" meanwhile`, {
      status: 409,
      hint: 'Look at the change and decide which one counts.',
    })
  return journey
}

/** What keeps a draft from being published. */
export async function checkJourney(
  { database, brand, clock, points }: Context,
  definition: JourneyDefinition,
): Promise<JourneyMistake[]> {
  const scope = await readScope(database.db, await brand(), { now: clock.now() })
  const templates = await readTemplates(database.db, templatesIn(JSON.stringify(definition)))
  return checkDefinition(definition, { scope, points, templates })
}

/** What has gone missing since that keeps the version in force from doing what it says; such a filter lets nobody in. */
export async function checkInForce(context: Context, id: string): Promise<JourneyMistake[]> {
  const row = await context.database.db
    .selectFrom('journeys')
    .innerJoin('journey_versions', (join) =>
      join
        .onRef('journey_versions.journey_id', '=', 'journeys.id')
        .onRef('journey_versions.version', '=', 'journeys.published_version'),
    )
    .where('journeys.id', '=', id)
    .where('journeys.state', 'in', ['live', 'paused'])
    .select('journey_versions.definition')
    .executeTakeFirst()
  return row ? await checkJourney(context, parseDefinition(JSON.parse(row.definition))) : []
}

/**
 * Puts the draft into force as a new version. Who is under way stays on the version they came in with. Throws
 * `E_JOURNEY` with every mistake.
 */
export async function publishJourney(context: Context, id: string, by: string): Promise<Journey> {
  const { database, clock, brand } = context
  const { draft } = await getJourney(database.db, id)
  const definition = parseDefinition(draft)
  const mistakes = await checkJourney(context, definition)
  if (mistakes.length > 0) throw mistaken(mistakes)
  const now = clock.now()
  const { timeZone } = await brand()
  await transact(database.db, async (tx) => {
    await readCursor(tx, 'journeys')
    await beginAtTheEnd(tx)
    const { last } = await tx
      .selectFrom('journey_versions')
      .select((row) => row.fn.max('version').as('last'))
      .where('journey_id', '=', id)
      .where('version', '>', 0)
      .executeTakeFirstOrThrow()
    const version = Number(last ?? 0) + 1
    await tx
      .insertInto('journey_versions')
      .values({
        journey_id: id,
        version,
        definition: JSON.stringify(definition),
        published_at: now,
        published_by: by,
      })
      .execute()
    await tx
      .updateTable('journeys')
      .set({
        published_version: version,
        updated_at: now,
        next_run_at: nextRun(definition.trigger, timeZone, now),
        run_at: null,
        run_after: null,
      })
      .where('id', '=', id)
      .execute()
    await setState(tx, id, 'live')
  })
  return await getJourney(database.db, id)
}

/** The first journey listens from now on; what lies in the logs already starts nothing. */
export async function beginAtTheEnd(tx: Tx): Promise<void> {
  const any = await tx.selectFrom('journey_versions').select('version').limit(1).executeTakeFirst()
  if (any) return
  await readCursor(tx, EVENTS_CURSOR)
  await writeCursor(tx, EVENTS_CURSOR, (await positionOf(tx, PROFILES_CURSOR)) ?? 0)
  await readCursor(tx, SEGMENTS_CURSOR)
  await writeCursor(tx, SEGMENTS_CURSOR, await lastChange(tx))
}

/**
 * Pauses, goes on, or ends. While paused nobody comes in and nobody is advanced; what fell due meanwhile is done when
 * it goes on. An ended journey lets nobody in, and those under way finish.
 */
export async function changeJourneyState(
  { database, clock, brand }: Context,
  id: string,
  to: 'live' | 'paused' | 'ended',
): Promise<Journey> {
  const { timeZone } = await brand()
  await transact(database.db, async (tx) => {
    await readCursor(tx, 'journeys')
    const journey = await getJourney(tx, id)
    if (journey.publishedVersion === null)
      throw userError('E_JOURNEY_DRAFT', `Journey "${journey.name}" was never published`, {
        hint: 'Publish it first.',
      })
    await setState(tx, id, to)
    const next = to === 'live' ? nextRun(journey.draft.trigger, timeZone, clock.now()) : null
    await tx
      .updateTable('journeys')
      .set({ updated_at: clock.now(), next_run_at: next })
      .where('id', '=', id)
      .execute()
  })
  return await getJourney(database.db, id)
}

export async function setState(tx: Tx, id: string, state: 'live' | 'paused' | 'ended'): Promise<void> {
  await tx.updateTable('journeys').set({ state }).where('id', '=', id).execute()
  const [from, to] =
    state === 'paused' ? (['due_at', 'held_due_at'] as const) : (['held_due_at', 'due_at'] as const)
  // Set aside, so that the index of what is due holds nothing that may not be done.
  await tx
    .updateTable('enrolments')
    .set((row) => ({ [to]: row.ref(from), [from]: null }))
    .where('journey_id', '=', id)
    .where('ended_at', 'is', null)
    .where(from, 'is not', null)
    .execute()
}

export interface CustomerEnrolment {
  id: number
  journeyId: string
  journey: string
  version: number
  node: string
  state: string
  arm: string
  enteredAt: number
  endedAt: number | null
  endedReason: string | null
  goalAt: number | null
  dueAt: number | null
}

/** Journeys that a customer is or was in, newest first. */
export async function enrolmentsOf(db: Db, customerId: number): Promise<CustomerEnrolment[]> {
  return await db
    .selectFrom('identifiers as asked')
    .innerJoin('identifiers', 'identifiers.customer_id', 'asked.customer_id')
    .innerJoin('enrolments', 'enrolments.customer_id', 'identifiers.id')
    .innerJoin('journeys', 'journeys.id', 'enrolments.journey_id')
    .where('asked.id', '=', customerId)
    .select([
      'enrolments.id',
      'enrolments.journey_id as journeyId',
      'journeys.name as journey',
      'enrolments.version',
      'enrolments.node',
      'enrolments.state',
      'enrolments.arm',
      'enrolments.entered_at as enteredAt',
      'enrolments.ended_at as endedAt',
      'enrolments.ended_reason as endedReason',
      'enrolments.goal_at as goalAt',
      'enrolments.due_at as dueAt',
    ])
    .orderBy('enrolments.id', 'desc')
    .limit(200)
    .execute()
}
