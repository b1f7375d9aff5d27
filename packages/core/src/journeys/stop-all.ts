import { userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { readCursor } from '../db/cursor.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import type { Job, JobContext } from '../jobs/jobs.ts'
import type { HumanTasks } from './human-steps.ts'
import { getJourney, setState } from './queries.ts'
import { cancelPlanned, STOPPED, takeOut } from './take-out.ts'

const KIND = 'journey.stop'
const BATCH = 1_000
/** Why messages were taken back, as the log of deliveries says it. */
export const JOURNEY_STOPPED = 'journey_stopped'

type Context = Pick<CoreContext, 'database' | 'clock' | 'jobs'>

/** What ending a journey is about. */
export interface UnderWay {
  people: number
  /** Messages and actions that are planned and have not been handed over. */
  messages: number
  /** Tasks that wait for a person. */
  tasks: number
}

/** Who is in a journey, and what is about to go out; trials count as little as anywhere. */
export async function countUnderWay(db: Db, id: string): Promise<UnderWay> {
  await getJourney(db, id)
  const { people, tasks } = await db
    .selectFrom('enrolments')
    .select(({ fn }) => [
      fn.countAll<number>().as('people'),
      fn.countAll<number>().filterWhere('waiting_for', 'like', 'task:%').as('tasks'),
    ])
    .where('journey_id', '=', id)
    .where('version', '>', 0)
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow()
  const { messages } = await db
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<number>().as('messages'))
    .where('journey_id', '=', id)
    .where('state', '=', 'planned')
    .where('purpose', '<>', 'test')
    .executeTakeFirstOrThrow()
  return { people: Number(people), messages: Number(messages), tasks: Number(tasks) }
}

interface Payload {
  journeyId: string
  /** When it was asked for. */
  at: number
  people: number
}

/**
 * Ends a journey and takes everybody out of it. When this returns nobody takes a step more and nothing more is handed
 * to a channel; that it is written for each of them is a job's work.
 */
export async function stopJourney(context: Context, id: string): Promise<{ job: Job; underWay: UnderWay }> {
  const { database, clock, jobs } = context
  const { name, publishedVersion } = await getJourney(database.db, id)
  if (publishedVersion === null)
    throw userError('E_JOURNEY_DRAFT', `Journey "${name}" was never published`, {
      hint: 'Publish it first.',
    })
  const underWay = await countUnderWay(database.db, id)
  const payload: Payload = { journeyId: id, at: clock.now(), people: underWay.people }
  // The job first: should the server die before the mark, the job sets it.
  const job = await jobs.enqueue({
    kind: KIND,
    title: JSON.stringify({
      en: `Take everybody out of “${name}”`,
      'zh-CN': `把所有人移出「${name}」`,
    }),
    payload: { ...payload },
  })
  await markStopped(database.db, payload)
  return { job, underWay }
}

/** Says who does it. What is done stays done: killed and begun again, it takes out who is left. */
export function defineStopJob(context: Context, tasks: HumanTasks | undefined): void {
  context.jobs.define(KIND, (job) => takeEverybodyOut({ ...context, tasks }, job))
}

/** From here on everybody who came in before is out, once for each time it was asked. */
async function markStopped(db: Db, { journeyId, at }: Pick<Payload, 'journeyId' | 'at'>): Promise<void> {
  await transact(db, async (tx) => {
    await takeTurns(tx)
    const row = await tx
      .selectFrom('journeys')
      .select('stopped_at')
      .where('id', '=', journeyId)
      .executeTakeFirst()
    if (!row || (row.stopped_at ?? 0) >= at) return
    // Both are only written in turn with this, so none of the journey's with a smaller id comes later.
    const last = async (table: 'enrolments' | 'deliveries') => {
      const { id } = await tx
        .selectFrom(table)
        .select(({ fn }) => fn.max('id').as('id'))
        .executeTakeFirstOrThrow()
      return Number(id ?? 0)
    }
    await setState(tx, journeyId, 'ended')
    await tx
      .updateTable('journeys')
      .set({
        stopped_at: at,
        stopped_enrolment: await last('enrolments'),
        stopped_delivery: await last('deliveries'),
        updated_at: at,
        next_run_at: null,
        run_at: null,
        run_after: null,
      })
      .where('id', '=', journeyId)
      .execute()
  })
}

/** Meanwhile nobody is advanced, and nothing is leased. */
async function takeTurns(tx: Tx): Promise<void> {
  await readCursor(tx, 'journeys')
  await readCursor(tx, 'deliveries')
}

type Working = Context & { tasks: HumanTasks | undefined }

async function takeEverybodyOut(context: Working, { job, signal, progress }: JobContext) {
  const { db } = context.database
  const { journeyId, at, people } = job.payload as unknown as Payload
  await markStopped(db, { journeyId, at })
  // What may still reach somebody goes first.
  let after: number | undefined = 0
  while (!signal.aborted && after !== undefined) after = await cancelNext(context, journeyId, after)
  let { people: left } = await countUnderWay(db, journeyId)
  after = 0
  while (!signal.aborted) {
    progress({ done: Math.max(0, people - left), total: people, unit: 'customers' })
    const last = await takeNext(context, journeyId, after)
    if (last === undefined) return await readOutcome(db, { journeyId, at })
    after = last.id
    left -= last.count
  }
  return undefined
}

/** Returns the last delivery it looked at; nothing when there was none. */
async function cancelNext(
  { database, clock }: Working,
  journeyId: string,
  after: number,
): Promise<number | undefined> {
  return await transact(database.db, async (tx) => {
    await takeTurns(tx)
    const rows = await tx
      .selectFrom('deliveries')
      .innerJoin('journeys', 'journeys.id', 'deliveries.journey_id')
      .select('deliveries.id')
      .where('deliveries.journey_id', '=', journeyId)
      .where('deliveries.state', '=', 'planned')
      .where('deliveries.purpose', '<>', 'test')
      .where('deliveries.id', '>', after)
      .whereRef('deliveries.id', '<=', 'journeys.stopped_delivery')
      .orderBy('deliveries.id')
      .limit(BATCH)
      .execute()
    const ids = rows.map(({ id }) => id)
    await cancelPlanned(tx, ids, { reason: JOURNEY_STOPPED, now: clock.now() })
    return ids.at(-1)
  })
}

/** Returns the last of those who were looked at, and how many of them were taken out; nothing behind the last batch. */
async function takeNext(
  { database, clock, tasks }: Working,
  journeyId: string,
  after: number,
): Promise<{ id: number; count: number } | undefined> {
  return await transact(database.db, async (tx) => {
    await readCursor(tx, 'journeys')
    const rows = await tx
      .selectFrom('enrolments')
      .innerJoin('journeys', 'journeys.id', 'enrolments.journey_id')
      .select('enrolments.id')
      .where('enrolments.journey_id', '=', journeyId)
      .where('enrolments.version', '>', 0)
      .where('enrolments.ended_at', 'is', null)
      .where('enrolments.id', '>', after)
      .whereRef('enrolments.id', '<=', 'journeys.stopped_enrolment')
      .orderBy('enrolments.id')
      .limit(BATCH)
      .execute()
    const last = rows.at(-1)
    if (!last) return undefined
    const ids = rows.map(({ id }) => id)
    return { id: last.id, count: await takeOut(tx, ids, { reason: STOPPED, now: clock.now(), tasks }) }
  })
}

async function readOutcome(
  db: Db,
  { journeyId, at }: Pick<Payload, 'journeyId' | 'at'>,
): Promise<Record<string, unknown>> {
  const { customers } = await db
    .selectFrom('enrolments')
    .select(({ fn }) => fn.countAll<number>().as('customers'))
    .where('journey_id', '=', journeyId)
    .where('ended_reason', '=', STOPPED)
    .where('ended_at', '>=', at)
    .executeTakeFirstOrThrow()
  const { messages } = await db
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<number>().as('messages'))
    .where('journey_id', '=', journeyId)
    .where('state', '=', 'cancelled')
    .where('reason', '=', JOURNEY_STOPPED)
    .where('updated_at', '>=', at)
    .executeTakeFirstOrThrow()
  return { customers: Number(customers), messages: Number(messages) }
}
