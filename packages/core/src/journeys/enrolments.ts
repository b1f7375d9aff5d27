import { notFound, userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { readCursor } from '../db/cursor.ts'
import { type Db, transact } from '../db/database.ts'
import { customerName } from '../profiles/queries.ts'
import type { JourneyDefinition } from './definition.ts'
import type { HumanTasks } from './human-steps.ts'
import { getJourney } from './queries.ts'
import { cancelPlanned, takeOut } from './take-out.ts'

export const ENROLMENT_STATES = ['active', 'waiting', 'done', 'exited', 'failed'] as const
export type EnrolmentState = (typeof ENROLMENT_STATES)[number]

export interface Enrolment {
  id: number
  /** NULL for somebody who was erased. */
  customer: { id: number; name: string } | null
  version: number
  node: string
  state: EnrolmentState
  arm: 'treated' | 'holdout'
  /** A trial of a draft: counts nowhere. */
  isTest: boolean
  /** Tells one entry of a customer from another, for instance an order's number. */
  entryKey: string
  enteredAt: number
  /** When the wait is over. */
  dueAt: number | null
  /** Event that ends the wait, or `task` while somebody has to do something. */
  waitingFor: string | null
  endedAt: number | null
  endedReason: string | null
  goalAt: number | null
}

export interface EnrolmentFilter {
  node?: string | undefined
  state?: EnrolmentState | undefined
  /** Only those whose journey is over, or only those who are still under way. */
  over?: boolean | undefined
  version?: number | undefined
  tests?: boolean | undefined
  before?: number | undefined
  limit: number
}

/** People in a journey, newest first; at a step those who wait there, or who left from there. */
export async function listEnrolments(
  db: Db,
  id: string,
  { node, state, over, version, tests = false, before, limit }: EnrolmentFilter,
): Promise<{ enrolments: Enrolment[]; next: number | null }> {
  await getJourney(db, id)
  let query = selectEnrolments(db).where('enrolments.journey_id', '=', id)
  query = query.where('enrolments.version', tests ? '<' : '>', 0)
  if (node !== undefined) query = query.where('enrolments.node', '=', node)
  if (state !== undefined) query = query.where('enrolments.state', '=', state)
  if (over !== undefined) query = query.where('enrolments.ended_at', over ? 'is not' : 'is', null)
  if (version !== undefined) query = query.where('enrolments.version', '=', version)
  if (before !== undefined) query = query.where('enrolments.id', '<', before)
  const rows = await query.orderBy('enrolments.id', 'desc').limit(limit).execute()
  return {
    enrolments: rows.map(toEnrolment),
    next: rows.length === limit ? (rows.at(-1)?.id ?? null) : null,
  }
}

export interface EnrolmentDetails extends Enrolment {
  /** What the journey began with. */
  data: Record<string, unknown>
  steps: { node: string; visit: number; at: number; outcome: string }[]
  deliveries: {
    id: number
    node: string | null
    channel: string
    state: string
    reason: string | null
    sentAt: number | null
  }[]
}

/** One customer's way through a journey. */
export async function getEnrolment(db: Db, journeyId: string, id: number): Promise<EnrolmentDetails> {
  const row = await selectEnrolments(db)
    .select('enrolments.data')
    .where('enrolments.journey_id', '=', journeyId)
    .where('enrolments.id', '=', id)
    .executeTakeFirst()
  if (!row) throw notFound('Enrolment', id)
  const steps = await db
    .selectFrom('enrolment_steps')
    .select(['node', 'visit', 'at', 'outcome'])
    .where('enrolment_id', '=', id)
    .orderBy('visit')
    .execute()
  const deliveries = await db
    .selectFrom('deliveries')
    .select(['id', 'node', 'channel', 'state', 'reason', 'sent_at as sentAt'])
    .where('customer_id', '=', row.customer_id)
    .where('journey_id', '=', journeyId)
    .where('key', 'like', `${id}.%`)
    .orderBy('id')
    .execute()
  return { ...toEnrolment(row), data: JSON.parse(row.data) as Record<string, unknown>, steps, deliveries }
}

function selectEnrolments(db: Db) {
  return db
    .selectFrom('enrolments')
    .leftJoin('identifiers', 'identifiers.id', 'enrolments.customer_id')
    .leftJoin('profiles', 'profiles.customer_id', 'identifiers.customer_id')
    .select([
      'enrolments.id',
      'enrolments.customer_id',
      'identifiers.customer_id as current',
      'enrolments.version',
      'enrolments.node',
      'enrolments.state',
      'enrolments.arm',
      'enrolments.entry_key',
      'enrolments.entered_at',
      'enrolments.due_at',
      'enrolments.waiting_for',
      'enrolments.ended_at',
      'enrolments.ended_reason',
      'enrolments.goal_at',
      'profiles.key',
      (row) =>
        row
          .ref('profiles.t_name' as never)
          .$castTo<string | null>()
          .as('name'),
    ])
}

type Row = Awaited<ReturnType<ReturnType<typeof selectEnrolments>['execute']>>[number]

function toEnrolment(row: Row): Enrolment {
  return {
    id: row.id,
    customer: row.current === null ? null : { id: row.current, name: customerName(row.name, row.key ?? '') },
    version: row.version,
    node: row.node,
    state: row.state,
    arm: row.arm,
    isTest: row.version < 0,
    entryKey: row.entry_key,
    enteredAt: row.entered_at,
    dueAt: row.due_at,
    // Whoever does a task is told its key; nobody else has to know.
    waitingFor: row.waiting_for?.startsWith('task:') ? 'task' : row.waiting_for,
    endedAt: row.ended_at,
    endedReason: row.ended_reason,
    goalAt: row.goal_at,
  }
}

/** Takes a customer out of a journey, together with what it has planned and not yet handed over. */
export async function stopEnrolment(
  { database, clock, tasks }: Pick<CoreContext, 'database' | 'clock'> & { tasks?: HumanTasks | undefined },
  journeyId: string,
  id: number,
): Promise<EnrolmentDetails> {
  const now = clock.now()
  await transact(database.db, async (tx) => {
    await readCursor(tx, 'journeys')
    // Nobody leases what is taken back here.
    await readCursor(tx, 'deliveries')
    const row = await tx
      .selectFrom('enrolments')
      .select('customer_id')
      .where('journey_id', '=', journeyId)
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row) throw notFound('Enrolment', id)
    if ((await takeOut(tx, [id], { reason: 'by_hand', now, tasks })) === 0)
      throw userError('E_ENROLMENT_ENDED', `Enrolment ${id} is over already`, { status: 409 })
    const planned = await tx
      .selectFrom('deliveries')
      .select('id')
      .where('customer_id', '=', row.customer_id)
      .where('journey_id', '=', journeyId)
      .where('key', 'like', `${id}.%`)
      .where('state', '=', 'planned')
      .execute()
    await cancelPlanned(
      tx,
      planned.map((delivery) => delivery.id),
      { reason: 'by_hand', now },
    )
  })
  return await getEnrolment(database.db, journeyId, id)
}

export interface JourneyVersion {
  version: number
  publishedAt: number
  publishedBy: string
  definition: JourneyDefinition
  /** Who is under way on it. */
  active: number
}

/** Published definitions, newest first. */
export async function listVersions(db: Db, id: string): Promise<JourneyVersion[]> {
  await getJourney(db, id)
  const rows = await db
    .selectFrom('journey_versions')
    .selectAll()
    .where('journey_id', '=', id)
    .where('version', '>', 0)
    .orderBy('version', 'desc')
    .execute()
  const active = await db
    .selectFrom('enrolments')
    .select(['version', (row) => row.fn.countAll<number>().as('count')])
    .where('journey_id', '=', id)
    .where('ended_at', 'is', null)
    .groupBy('version')
    .execute()
  return rows.map((row) => ({
    version: row.version,
    publishedAt: row.published_at,
    publishedBy: row.published_by,
    definition: JSON.parse(row.definition) as JourneyDefinition,
    active: Number(active.find(({ version }) => version === row.version)?.count ?? 0),
  }))
}
