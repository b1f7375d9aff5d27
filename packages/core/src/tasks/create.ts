import { insertRows } from '../db/insert-rows.ts'
import type { Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'
import { takeTurn } from '../events/append.ts'
import type { StepText } from '../journeys/definition.ts'
import type { QueueBook } from './queues.ts'
import { type Happening, record, type StoredTask } from './record.ts'
import { DEFAULT_QUEUE } from './tables.ts'

export interface TaskOutcome {
  id: string
  title?: StepText | undefined
}

export interface NewTask {
  /** The same key twice is one task. */
  key?: string | undefined
  kind: string
  title: string
  queue?: string | undefined
  /** Id of the person who is meant to do it; somebody of the queue if absent. */
  assignee?: string | undefined
  customerId?: number | undefined
  journey?: { id: string; enrolmentId: number; node: string } | undefined
  data?: Record<string, unknown> | undefined
  script?: string | undefined
  outcomes?: readonly TaskOutcome[] | undefined
  /** `journey`, `user:<id>` or `plugin:<id>`. */
  createdBy: string
  /** Business time until it has to be done, or the moment itself. */
  due: { minutes: number } | { at: number }
}

const DONE: TaskOutcome[] = [{ id: 'done' }]
export const MINUTE = 60_000

/** When the clock has to look at a task again; one that is overdue is escalated so long after `since`. */
export function nextLook(
  task: Pick<
    StoredTask,
    'queue' | 'clock_from' | 'clock_left' | 'due_at' | 'reminded_at' | 'overdue_at' | 'ended_at'
  >,
  book: QueueBook,
  since = task.overdue_at,
): number | null {
  if (task.ended_at !== null) return null
  const { remindBeforeMinutes, escalateAfterMinutes, escalateTo } = book.queue(task.queue)
  if (task.overdue_at === null) {
    const lead = task.clock_left - (remindBeforeMinutes ?? 0) * MINUTE
    const reminds = remindBeforeMinutes !== null && task.reminded_at === null && lead > 0
    return reminds ? book.clock(task.queue).add(task.clock_from, lead) : task.due_at
  }
  if (escalateAfterMinutes === null || escalateTo === null) return null
  return book.clock(task.queue).add(Math.max(task.clock_from, since ?? 0), escalateAfterMinutes * MINUTE)
}

/** Writes tasks down; those whose key is known are left as they are. Returns the ids, in the order given. */
export async function createTasks(
  tx: Tx,
  tasks: readonly NewTask[],
  { book, now }: { book: QueueBook; now: number },
): Promise<{ id: number; created: boolean }[]> {
  await takeTurn(tx)
  const known = await findKeys(tx, tasks)
  const made: { id: number; created: boolean }[] = []
  const happenings: Happening[] = []
  for (const task of tasks) {
    const twin = task.key === undefined ? undefined : known.get(task.key)
    if (twin !== undefined) {
      made.push({ id: twin, created: false })
      continue
    }
    const row = toRow(task, book, now)
    row.assignee ??= await nextMember(tx, row.queue, book)
    const { id } = await tx.insertInto('tasks').values(row).returning('id').executeTakeFirstOrThrow()
    if (task.key !== undefined) known.set(task.key, id)
    made.push({ id, created: true })
    happenings.push({
      task: { ...row, id, escalations: 0 },
      kind: 'created',
      userId: task.createdBy.startsWith('user:') ? task.createdBy.slice('user:'.length) : null,
      details: row.assignee === null ? {} : { to: row.assignee },
    })
  }
  await record(tx, happenings, now)
  return made
}

async function findKeys(tx: Tx, tasks: readonly NewTask[]): Promise<Map<string, number>> {
  const keys = tasks.flatMap(({ key }) => (key === undefined ? [] : [{ key }]))
  if (keys.length === 0) return new Map()
  const rows = await tx
    .selectFrom(rowsOf(tx, keys, { key: 'text' }))
    .innerJoin('tasks', 'tasks.key', 'r.key')
    .select(['tasks.id', 'r.key'])
    .execute()
  return new Map(rows.map(({ id, key }) => [key, id]))
}

function toRow(task: NewTask, book: QueueBook, now: number) {
  const queue = task.queue ?? DEFAULT_QUEUE
  const clock = book.clock(queue)
  const length = 'minutes' in task.due ? task.due.minutes * MINUTE : clock.between(now, task.due.at)
  const row = {
    key: task.key ?? null,
    kind: task.kind,
    title: task.title,
    queue,
    assignee: task.assignee ?? null,
    customer_id: task.customerId ?? null,
    journey_id: task.journey?.id ?? null,
    enrolment_id: task.journey?.enrolmentId ?? null,
    node: task.journey?.node ?? null,
    created_by: task.createdBy,
    state: 'open' as const,
    data: JSON.stringify(task.data ?? {}),
    script: task.script ?? null,
    outcomes: JSON.stringify(task.outcomes && task.outcomes.length > 0 ? task.outcomes : DONE),
    outcome: null,
    note: null,
    sla_ms: length,
    clock_from: now,
    clock_left: length,
    due_at: 'minutes' in task.due ? clock.add(now, length) : task.due.at,
    paused_until: null,
    reminded_at: null,
    overdue_at: null,
    next_at: null as number | null,
    created_at: now,
    updated_at: now,
    ended_at: null,
  }
  row.next_at = nextLook(row, book)
  return row
}

/** Whose turn it is in a queue that hands its tasks out; the turn is taken in the row, so two never get the same. */
export async function nextMember(tx: Tx, queue: string, book: QueueBook): Promise<string | null> {
  const { assignment, members } = book.queue(queue)
  if (assignment !== 'rotate' || members.length === 0) return null
  const row = await tx
    .updateTable('task_queues')
    .set((each) => ({ turns: each('turns', '+', 1) }))
    .where('id', '=', queue)
    .returning('turns')
    .executeTakeFirst()
  return row ? (members[(row.turns - 1) % members.length] ?? null) : null
}

/** Queues that tasks name and nobody has set up: they are there from now on, so that one can. */
export async function addMissingQueues(
  tx: Tx,
  queues: Iterable<string | undefined>,
  { book, now }: { book: QueueBook; now: number },
): Promise<void> {
  const missing = [...new Set(queues)].filter((id) => id !== undefined && !book.has(id))
  await insertRows(tx, 'task_queues', {
    rows: missing.map((id) => ({
      id: id as string,
      name: id as string,
      members: '[]',
      assignment: 'claim',
      created_at: now,
    })),
    columns: { id: 'text', name: 'text', members: 'json', assignment: 'text', created_at: 'integer' },
    conflict: { columns: ['id'], then: 'keep' },
  })
}
