import type { Db, Tx } from '../db/database.ts'
import { takeTurn } from '../events/append.ts'
import { clockFrom, leftAt, moved } from './act.ts'
import { nextLook, nextMember } from './create.ts'
import { QueueBook } from './queues.ts'
import { type Happening, record, type StoredTask } from './record.ts'

/** Name of the turn that nodes take. */
export const TASKS_CURSOR = 'tasks'
const BATCH = 200
/** After so many times nobody is going to hear it. */
const ESCALATIONS = 20

/** Whether the time of any task has come. */
export async function findDue(db: Db, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('tasks')
    .select('id')
    .where('next_at', '<=', now)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Reminds of tasks, calls them overdue and hands them on, for the next of those whose time has come. Found by an index
 * over the moments, in the turn of this node. Returns whether there were any.
 */
export async function advanceTasks(tx: Tx, book: QueueBook, now: number): Promise<boolean> {
  const rows = await tx
    .selectFrom('tasks')
    .select('id')
    .where('next_at', '<=', now)
    .orderBy('next_at')
    .limit(BATCH)
    .execute()
  if (rows.length === 0) return false
  await takeTurn(tx)
  const happenings: Happening[] = []
  for (const { id } of rows) {
    // Read again behind the log's turn: somebody may have finished it at this moment.
    const task = await tx.selectFrom('tasks').selectAll().where('id', '=', id).executeTakeFirst()
    if (!task || task.next_at === null || task.next_at > now) continue
    await look(tx, task, { book, now, happenings })
  }
  await record(tx, happenings, now)
  return true
}

interface Looking {
  book: QueueBook
  now: number
  happenings: Happening[]
}

async function look(tx: Tx, task: StoredTask, looking: Looking): Promise<void> {
  const { book, now, happenings } = looking
  if (task.customer_id !== null && !(await isKnown(tx, task.customer_id))) {
    await write(tx, task, { state: 'cancelled', ended_at: now, next_at: null, updated_at: now })
    happenings.push({ task, kind: 'cancelled', details: { reason: 'erased' } })
    return
  }
  if (task.overdue_at !== null) return await escalate(tx, task, looking)
  if (task.due_at > now) {
    const next = { ...task, reminded_at: now }
    await write(tx, task, { reminded_at: now, next_at: nextLook(next, book) })
    happenings.push({ task, kind: 'reminded', userId: task.assignee })
    return
  }
  const next = { ...task, overdue_at: task.due_at }
  await write(tx, task, { overdue_at: task.due_at, next_at: nextLook(next, book) })
  happenings.push({ task, kind: 'overdue', userId: task.assignee })
}

async function escalate(tx: Tx, task: StoredTask, { book, now, happenings }: Looking): Promise<void> {
  const { escalateTo, escalateAfterMinutes } = book.queue(task.queue)
  if (escalateTo === null || escalateAfterMinutes === null || task.escalations >= ESCALATIONS)
    return await write(tx, task, { next_at: null })
  const next = { ...task, escalations: task.escalations + 1 }
  if ('queue' in escalateTo) {
    Object.assign(next, moved(task, { queue: escalateTo.queue, book, now }))
    next.queue = escalateTo.queue
    next.assignee = await nextMember(tx, next.queue, book)
    next.state = 'open'
  } else if (next.assignee !== escalateTo.user) {
    next.assignee = escalateTo.user
    next.state = 'open'
  }
  next.next_at = next.escalations >= ESCALATIONS ? null : nextLook(next, book, now)
  const { queue, assignee, state, clock_from, clock_left, due_at, escalations, next_at } = next
  await write(tx, task, {
    ...{ queue, assignee, state, clock_from, clock_left, due_at, escalations, next_at },
    updated_at: now,
  })
  happenings.push({
    task: next,
    kind: 'escalated',
    details: { from: task.queue, ...escalateTo, ...(next.assignee === null ? {} : { to: next.assignee }) },
  })
}

async function write(tx: Tx, { id }: StoredTask, set: Partial<StoredTask>): Promise<void> {
  await tx.updateTable('tasks').set(set).where('id', '=', id).execute()
}

async function isKnown(tx: Tx, customerId: number): Promise<boolean> {
  const row = await tx.selectFrom('identifiers').select('id').where('id', '=', customerId).executeTakeFirst()
  return row !== undefined
}

/**
 * Computes all open tasks anew when hours, zone or escalation have changed since the last time: what was worked so far
 * counts by the old hours, what is left by the new ones. What is overdue stays so.
 */
export async function followHours(tx: Tx, book: QueueBook, now: number): Promise<boolean> {
  const row = await tx
    .selectFrom('cursors')
    .select('details')
    .where('name', '=', TASKS_CURSOR)
    .executeTakeFirst()
  const details = book.basis()
  if (row?.details === details) return false
  if (row?.details) {
    await takeTurn(tx)
    await recompute(tx, { old: QueueBook.of(row.details), book, now })
  }
  await tx.updateTable('cursors').set({ details }).where('name', '=', TASKS_CURSOR).execute()
  return true
}

async function recompute(
  tx: Tx,
  { old, book, now }: { old: QueueBook; book: QueueBook; now: number },
): Promise<void> {
  let after = 0
  for (;;) {
    const tasks = await tx
      .selectFrom('tasks')
      .selectAll()
      .where('ended_at', 'is', null)
      .where('id', '>', after)
      .orderBy('id')
      .limit(BATCH)
      .execute()
    for (const task of tasks) {
      after = task.id
      const from = Math.max(now, task.clock_from)
      const left = leftAt(task, old, now)
      const clock = left > 0 && task.overdue_at === null ? clockFrom(task, { from, left, book }) : {}
      const next = { ...task, ...clock }
      await write(tx, task, {
        ...clock,
        next_at: nextLook(next, book, task.overdue_at === null ? null : now),
      })
    }
    if (tasks.length < BATCH) return
  }
}
