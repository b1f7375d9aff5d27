import { type AppError, notFound, userError } from '@huitou/plugin-api'
import type { Tx } from '../db/database.ts'
import { takeTurn } from '../events/append.ts'
import { nextLook, type TaskOutcome } from './create.ts'
import type { QueueBook } from './queues.ts'
import { type Happening, record, type StoredTask } from './record.ts'

/** Who does something to a task. */
export interface Actor {
  id: string
  /** May take tasks from others, and give them to anybody. */
  leads: boolean
}

export interface Acting {
  actor: Actor
  book: QueueBook
  now: number
}

/** The task as nobody else can change it now: whoever changes tasks takes the log's turn before reading them. */
async function holdTask(tx: Tx, id: number): Promise<StoredTask> {
  await takeTurn(tx)
  const row = await tx.selectFrom('tasks').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw notFound('Task', id)
  return row
}

/** Takes a task on. Of two who try at once one gets it, and the other hears `E_TASK_TAKEN`. */
export async function claimTask(tx: Tx, id: number, { actor, book, now }: Acting): Promise<void> {
  const task = requireOpen(await holdTask(tx, id))
  if (task.state === 'claimed' && task.assignee === actor.id) return
  if (task.assignee !== null && task.assignee !== actor.id && !actor.leads) throw taken(task)
  await change(tx, task, {
    set: { state: 'claimed', assignee: actor.id, ...resumed(task, book, now) },
    happening: { kind: 'claimed', userId: actor.id },
    now,
  })
}

/** Gives a task back to its queue. */
export async function releaseTask(tx: Tx, id: number, { actor, now }: Acting): Promise<void> {
  const task = requireOpen(await holdTask(tx, id))
  if (task.assignee === null) return
  requireMine(task, actor)
  await change(tx, task, {
    set: { state: 'open', assignee: null },
    happening: { kind: 'released', userId: actor.id },
    now,
  })
}

/** Gives a task to a person, to another queue, or to both. In another queue its time runs by that one's clock. */
export async function assignTask(
  tx: Tx,
  id: number,
  { assignee, queue, actor, book, now }: Acting & { assignee?: string | null; queue?: string | undefined },
): Promise<void> {
  const task = requireOpen(await holdTask(tx, id))
  requireMine(task, actor)
  if (queue !== undefined && !book.has(queue)) throw notFound('Queue', queue)
  const target = queue ?? task.queue
  const next = {
    ...task,
    queue: target,
    // In another queue nobody has it yet, unless somebody is named.
    assignee: assignee === undefined ? (target === task.queue ? task.assignee : null) : assignee,
    state: 'open' as const,
    ...(target === task.queue ? {} : moved(task, { queue: target, book, now })),
  }
  await change(tx, next, {
    set: {
      queue: next.queue,
      assignee: next.assignee,
      state: next.state,
      clock_from: next.clock_from,
      clock_left: next.clock_left,
      due_at: next.due_at,
      next_at: nextLook(next, book, task.overdue_at === null ? null : now),
    },
    happening: {
      kind: assignee ? 'assigned' : target === task.queue ? 'released' : 'moved',
      userId: actor.id,
      details: { ...(assignee ? { to: assignee } : {}), ...(target === task.queue ? {} : { queue: target }) },
    },
    now,
  })
}

const LONGEST_SNOOZE = 90 * 86_400_000

/** Stops the clock of a task until a moment; `null` lets it run on now. */
export async function snoozeTask(
  tx: Tx,
  id: number,
  { until, actor, book, now }: Acting & { until: number | null },
): Promise<void> {
  const task = requireOpen(await holdTask(tx, id))
  requireMine(task, actor)
  if (until === null) {
    if (task.paused_until === null) return
    await change(tx, task, {
      set: resumed(task, book, now),
      happening: { kind: 'resumed', userId: actor.id },
      now,
    })
    return
  }
  if (until <= now || until > now + LONGEST_SNOOZE)
    throw userError('E_TASK_SNOOZE', 'A task can be put off until a moment within the next 90 days')
  const left = leftAt(task, book, now)
  const next = { ...task, ...clockFrom(task, { from: until, left, book }), paused_until: until }
  await change(tx, task, {
    set: {
      clock_from: next.clock_from,
      clock_left: next.clock_left,
      due_at: next.due_at,
      paused_until: until,
      next_at: nextLook(next, book, task.overdue_at === null ? null : until),
    },
    happening: { kind: 'snoozed', userId: actor.id, details: { until } },
    now,
  })
}

/** Ends a task with one of its outcomes. Returns it as it was, for whoever waits for it. */
export async function finishTask(
  tx: Tx,
  id: number,
  { outcome, note, actor, now }: Acting & { outcome: string; note?: string | undefined },
): Promise<StoredTask> {
  const task = requireOpen(await holdTask(tx, id))
  if (task.assignee !== null && task.assignee !== actor.id && !actor.leads) throw taken(task)
  const outcomes = JSON.parse(task.outcomes) as TaskOutcome[]
  if (!outcomes.some((each) => each.id === outcome))
    throw userError('E_TASK_OUTCOME', `"${outcome}" is not an outcome of this task`, {
      hint: `It may end with: ${outcomes.map((each) => each.id).join(', ')}.`,
    })
  await end(tx, { ...task, outcome, assignee: task.assignee ?? actor.id }, { kind: 'done', actor, note, now })
  return task
}

/** Takes a task back: nobody has to do it any more. Returns it as it was. */
export async function cancelTask(
  tx: Tx,
  id: number,
  { note, actor, now }: Acting & { note?: string | undefined },
): Promise<StoredTask> {
  const task = requireOpen(await holdTask(tx, id))
  requireMine(task, actor)
  await end(tx, { ...task, outcome: null }, { kind: 'cancelled', actor, note, now })
  return task
}

/** Opens a task again that was done or cancelled, with all its time. A journey that has gone on does not come back. */
export async function reopenTask(tx: Tx, id: number, { actor, book, now }: Acting): Promise<void> {
  const task = await holdTask(tx, id)
  if (task.ended_at === null) return
  requireMine(task, actor)
  const next = {
    ...task,
    state: 'open' as const,
    outcome: null,
    paused_until: null,
    reminded_at: null,
    overdue_at: null,
    escalations: 0,
    ended_at: null,
    ...clockFrom(task, { from: now, left: Math.max(0, task.sla_ms), book }),
  }
  const { id: _, ...set } = { ...next, next_at: nextLook(next, book) }
  await change(tx, next, { set, happening: { kind: 'reopened', userId: actor.id }, now })
}

/** Business time that a task has left at `now`; negative when it is overdue. */
export function leftAt(
  task: Pick<StoredTask, 'queue' | 'clock_from' | 'clock_left'>,
  book: QueueBook,
  now: number,
): number {
  if (now <= task.clock_from) return task.clock_left
  return task.clock_left - book.clock(task.queue).between(task.clock_from, now)
}

/** A clock that runs from `from` on; what is overdue stays due when it was. */
export function clockFrom(
  task: Pick<StoredTask, 'queue' | 'due_at'>,
  { from, left, book }: { from: number; left: number; book: QueueBook },
) {
  return {
    clock_from: from,
    clock_left: left,
    due_at: left > 0 ? book.clock(task.queue).add(from, left) : Math.min(task.due_at, from),
  }
}

/** What becomes of the clock when a task goes to another queue: the time left is left there as well. */
export function moved(
  task: StoredTask,
  { queue, book, now }: { queue: string; book: QueueBook; now: number },
) {
  const from = Math.max(now, task.paused_until ?? 0)
  return clockFrom({ queue, due_at: task.due_at }, { from, left: leftAt(task, book, now), book })
}

function resumed(task: StoredTask, book: QueueBook, now: number): Partial<StoredTask> {
  if (task.paused_until === null) return {}
  if (task.paused_until <= now) return { paused_until: null }
  const next = { ...task, ...clockFrom(task, { from: now, left: task.clock_left, book }), paused_until: null }
  const { clock_from, clock_left, due_at, paused_until } = next
  return {
    clock_from,
    clock_left,
    due_at,
    paused_until,
    next_at: nextLook(next, book, task.overdue_at === null ? null : now),
  }
}

async function end(
  tx: Tx,
  task: StoredTask,
  {
    kind,
    actor,
    note,
    now,
  }: { kind: 'done' | 'cancelled'; actor: Actor; note: string | undefined; now: number },
): Promise<void> {
  await change(tx, task, {
    set: {
      state: kind,
      outcome: task.outcome,
      assignee: task.assignee,
      note: note ?? task.note,
      ended_at: now,
      next_at: null,
      paused_until: null,
    },
    happening: {
      kind,
      userId: actor.id,
      details: { ...(kind === 'done' ? { outcome: task.outcome } : {}), ...(note ? { note } : {}) },
    },
    now,
  })
}

async function change(
  tx: Tx,
  task: StoredTask,
  { set, happening, now }: { set: Partial<StoredTask>; happening: Omit<Happening, 'task'>; now: number },
): Promise<void> {
  await tx
    .updateTable('tasks')
    .set({ ...set, updated_at: now })
    .where('id', '=', task.id)
    .execute()
  await record(tx, [{ ...happening, task }], now)
}

function requireOpen(task: StoredTask): StoredTask {
  if (task.ended_at === null) return task
  throw userError('E_TASK_OVER', `The task is ${task.state} already`, {
    status: 409,
    hint: 'Open it again if there is more to do.',
    details: { state: task.state, by: task.assignee },
  })
}

function requireMine(task: StoredTask, actor: Actor): void {
  if (task.assignee !== null && task.assignee !== actor.id && !actor.leads) throw taken(task)
}

function taken({ id, assignee }: StoredTask): AppError {
  return userError('E_TASK_TAKEN', `Somebody else has task ${id}`, {
    status: 409,
    hint: 'Take another one, or ask an operator to hand it over.',
    details: { assignee },
  })
}
