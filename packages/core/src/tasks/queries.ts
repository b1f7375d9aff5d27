import { notFound } from '@huitou/plugin-api'
import type { ExpressionBuilder } from 'kysely'
import type { Tables } from '../schema.ts'
import type { Db } from '../db/database.ts'
import { listQueues } from './queues.ts'
import type { StoredTask } from './record.ts'
import { type Task, type TaskWorld, toTasks } from './view.ts'

/** Who looks: leaders and readers see everything, others the queues they belong to and what they have. */
export interface Viewer {
  id: string
  seesAll: boolean
}

export const TASK_LISTS = ['open', 'mine', 'overdue', 'done', 'all'] as const
export type TaskList = (typeof TASK_LISTS)[number]

export interface TaskFilter {
  state: TaskList
  queue?: string | undefined
  assignee?: string | undefined
  customerId?: number | undefined
  journeyId?: string | undefined
  /** Id of the last task of the page before. */
  before?: number | undefined
  limit: number
}

export interface TaskCounts {
  open: number
  mine: number
  overdue: number
}

export interface TaskPage {
  tasks: Task[]
  counts: TaskCounts
  /** What to ask for the next page with. */
  next: number | null
}

type Where = ExpressionBuilder<Tables, 'tasks'>

/** Open tasks by when they are due; those that are over, and all of them, newest first. */
export async function listTasks(world: TaskWorld, viewer: Viewer, filter: TaskFilter): Promise<TaskPage> {
  const { db } = world
  const maySee = await visibleTo(db, viewer)
  const isOpen = filter.state !== 'done' && filter.state !== 'all'
  let query = db
    .selectFrom('tasks')
    .selectAll()
    .where((where) => where.and([maySee(where), inList(where, filter.state, { viewer, now: world.now })]))
  if (filter.queue !== undefined) query = query.where('queue', '=', filter.queue)
  if (filter.assignee !== undefined) query = query.where('assignee', '=', filter.assignee)
  if (filter.journeyId !== undefined) query = query.where('journey_id', '=', filter.journeyId)
  if (filter.customerId !== undefined) {
    const { customerId } = filter
    // Those of everybody who went up into the customer.
    query = query.where('customer_id', 'in', (select) =>
      select
        .selectFrom('identifiers as asked')
        .innerJoin('identifiers as known', 'known.customer_id', 'asked.customer_id')
        .where('asked.id', '=', customerId)
        .select('known.id'),
    )
  }
  const last = filter.before === undefined ? undefined : await findStored(db, filter.before)
  if (last)
    query = query.where((where) =>
      isOpen
        ? where.or([
            where('due_at', '>', last.due_at),
            where.and([where('due_at', '=', last.due_at), where('id', '>', last.id)]),
          ])
        : filter.state === 'all'
          ? where('id', '<', last.id)
          : where.or([
              where('ended_at', '<', last.ended_at ?? 0),
              where.and([where('ended_at', '=', last.ended_at ?? 0), where('id', '<', last.id)]),
            ]),
    )
  const ordered = isOpen
    ? query.orderBy('due_at').orderBy('id')
    : filter.state === 'all'
      ? query.orderBy('id', 'desc')
      : query.orderBy('ended_at', 'desc').orderBy('id', 'desc')
  const rows = await ordered.limit(filter.limit).execute()
  return {
    tasks: await toTasks(rows, world),
    counts: await countTasks(world, viewer),
    next: rows.length === filter.limit ? (rows.at(-1)?.id ?? null) : null,
  }
}

/** How many tasks somebody sees as open, has, and sees as overdue. */
export async function countTasks(
  { db, now }: Pick<TaskWorld, 'db' | 'now'>,
  viewer: Viewer,
): Promise<TaskCounts> {
  const maySee = await visibleTo(db, viewer)
  const count = async (list: TaskList) => {
    const { count: found } = await db
      .selectFrom('tasks')
      .select((row) => row.fn.countAll<number>().as('count'))
      .where((where) => where.and([maySee(where), inList(where, list, { viewer, now })]))
      .executeTakeFirstOrThrow()
    return Number(found)
  }
  return { open: await count('open'), mine: await count('mine'), overdue: await count('overdue') }
}

function inList(where: Where, list: TaskList, { viewer, now }: { viewer: Viewer; now: number }) {
  switch (list) {
    case 'open':
      return where('ended_at', 'is', null)
    case 'mine':
      return where.and([where('ended_at', 'is', null), where('assignee', '=', viewer.id)])
    case 'overdue':
      return where.and([
        where('ended_at', 'is', null),
        where('due_at', '<', now),
        where.or([where('paused_until', 'is', null), where('paused_until', '<=', now)]),
      ])
    case 'done':
      return where('ended_at', 'is not', null)
    case 'all':
      return where('id', '>', 0)
  }
}

async function visibleTo(db: Db, viewer: Viewer) {
  const queues = viewer.seesAll ? [] : await listQueues(db)
  const closed = queues.filter(({ members }) => members.length > 0 && !members.includes(viewer.id))
  return (where: Where) =>
    closed.length === 0
      ? where('id', '>', 0)
      : where.or([
          where(
            'queue',
            'not in',
            closed.map(({ id }) => id),
          ),
          where('assignee', '=', viewer.id),
        ])
}

async function findStored(db: Db, id: number): Promise<StoredTask | undefined> {
  return await db.selectFrom('tasks').selectAll().where('id', '=', id).executeTakeFirst()
}

export interface TaskEvent {
  at: number
  kind: string
  /** Who did it; NULL for the clock. */
  by: { id: string; name: string } | null
  details: Record<string, unknown>
}

export interface TaskDetails extends Task {
  history: TaskEvent[]
}

/** A task with what happened to it. One that somebody may not see is not there. */
export async function getTask(world: TaskWorld, viewer: Viewer, id: number): Promise<TaskDetails> {
  const { db, people } = world
  const maySee = await visibleTo(db, viewer)
  const row = await db
    .selectFrom('tasks')
    .selectAll()
    .where('id', '=', id)
    .where((where) => maySee(where))
    .executeTakeFirst()
  const [task] = row ? await toTasks([row], world) : []
  if (!task) throw notFound('Task', id)
  const events = await db
    .selectFrom('task_events')
    .select(['at', 'kind', 'user_id', 'details'])
    .where('task_id', '=', id)
    .orderBy('id')
    .execute()
  return {
    ...task,
    history: events.map(({ at, kind, user_id, details }) => ({
      at,
      kind,
      by: user_id === null ? null : { id: user_id, name: people.get(user_id) ?? user_id },
      details: withNames(JSON.parse(details) as Record<string, unknown>, people),
    })),
  }
}

/** People in the details of an event are given their names. */
function withNames(
  details: Record<string, unknown>,
  people: ReadonlyMap<string, string>,
): Record<string, unknown> {
  const { to, user } = details
  return {
    ...details,
    ...(typeof to === 'string' ? { toName: people.get(to) ?? to } : {}),
    ...(typeof user === 'string' ? { userName: people.get(user) ?? user } : {}),
  }
}
