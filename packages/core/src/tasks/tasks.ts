import { readCursor } from '../db/cursor.ts'
import { transact, type Tx } from '../db/database.ts'
import type { CoreContext } from '../context.ts'
import { idRows } from '../db/rows.ts'
import { takeTurn } from '../events/append.ts'
import { type HumanTasks, type JourneyTask, skipHumanStep } from '../journeys/human-steps.ts'
import type { ContentRenderer } from '../journeys/variables.ts'
import {
  type Acting,
  type Actor,
  assignTask,
  cancelTask,
  claimTask,
  finishTask,
  releaseTask,
  reopenTask,
  snoozeTask,
} from './act.ts'
import { advanceTasks, findDue, followHours, TASKS_CURSOR } from './advance.ts'
import { addMissingQueues, createTasks, type NewTask } from './create.ts'
import { QueueBook } from './queues.ts'
import { record, type StoredTask } from './record.ts'

export interface TaskOptions {
  render: ContentRenderer
  /** Lets a journey go on behind a task that is done. */
  finishStep(tx: Tx, key: string, outcome: string): Promise<boolean>
}

/** What somebody does to a task. */
export type TaskAction =
  | { do: 'claim' | 'release' | 'reopen' }
  | { do: 'assign'; assignee?: string | null | undefined; queue?: string | undefined }
  | { do: 'snooze'; until: number | null }
  | { do: 'finish'; outcome: string; note?: string | undefined }
  | { do: 'cancel'; note?: string | undefined }

/** Work for people. */
export class Tasks implements HumanTasks {
  readonly render: ContentRenderer
  readonly #context: Pick<CoreContext, 'database' | 'clock'>
  readonly #finishStep: TaskOptions['finishStep']
  readonly #listeners = new Set<() => void>()
  /** What due times depended on when they were last looked at. */
  #basis: string | undefined

  constructor(
    { database, clock }: Pick<CoreContext, 'database' | 'clock'>,
    { render, finishStep }: TaskOptions,
  ) {
    this.#context = { database, clock }
    this.render = render
    this.#finishStep = finishStep
  }

  /** Called after tasks have changed. Returns what stops the calls. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Writes a task down. The same key twice is one task. */
  async create(task: NewTask): Promise<{ id: number; created: boolean }> {
    const now = this.#context.clock.now()
    const [made] = await transact(this.#context.database.db, async (tx) => {
      await takeTurn(tx)
      return await this.#create(tx, [task], now)
    })
    this.#tell()
    return made as { id: number; created: boolean }
  }

  /** Does something to a task, all of it or nothing. */
  async act(id: number, action: TaskAction, actor: Actor): Promise<void> {
    const now = this.#context.clock.now()
    await transact(this.#context.database.db, async (tx) => {
      // An end may let a journey go on, and those who advance journeys take their turn before anything else.
      if (action.do === 'finish' || action.do === 'cancel') await readCursor(tx, 'journeys')
      await takeTurn(tx)
      await this.#act(tx, id, { action, acting: { actor, book: await QueueBook.read(tx), now } })
    })
    this.#tell()
  }

  async #act(
    tx: Tx,
    id: number,
    { action, acting }: { action: TaskAction; acting: Acting },
  ): Promise<unknown> {
    switch (action.do) {
      case 'claim':
        return await claimTask(tx, id, acting)
      case 'release':
        return await releaseTask(tx, id, acting)
      case 'reopen':
        return await reopenTask(tx, id, acting)
      case 'assign':
        return await assignTask(tx, id, { ...acting, ...action })
      case 'snooze':
        return await snoozeTask(tx, id, { ...acting, ...action })
      case 'finish': {
        const task = await finishTask(tx, id, { ...acting, ...action })
        if (isStep(task)) await this.#finishStep(tx, task.key, action.outcome)
        return
      }
      case 'cancel': {
        const task = await cancelTask(tx, id, { ...acting, ...action })
        if (isStep(task)) await skipHumanStep(tx, task.key, acting.now)
        return
      }
    }
  }

  async #create(tx: Tx, tasks: readonly NewTask[], now: number) {
    await addMissingQueues(
      tx,
      tasks.map(({ queue }) => queue),
      { book: await QueueBook.read(tx), now },
    )
    return await createTasks(tx, tasks, { book: await QueueBook.read(tx), now })
  }

  async open(tx: Tx, tasks: readonly JourneyTask[], now: number): Promise<void> {
    await takeTurn(tx)
    await this.#create(
      tx,
      tasks.map((task): NewTask => ({
        key: task.key,
        kind: task.kind,
        title: task.title,
        queue: task.queue,
        customerId: task.customerId,
        journey: { id: task.journeyId, enrolmentId: task.enrolmentId, node: task.node },
        data: task.data,
        script: task.script,
        outcomes: task.outcomes,
        createdBy: 'journey',
        due: { minutes: task.dueMinutes },
      })),
      now,
    )
    this.#tell()
  }

  async leave(tx: Tx, enrolmentIds: readonly number[], now: number): Promise<void> {
    await takeTurn(tx)
    const left = await tx
      .updateTable('tasks')
      .set({ state: 'cancelled', ended_at: now, next_at: null, paused_until: null, updated_at: now })
      .where('enrolment_id', 'in', (where) => where.selectFrom(idRows(tx, enrolmentIds)).select('r.id'))
      .where('ended_at', 'is', null)
      .returningAll()
      .execute()
    await record(
      tx,
      left.map((task) => ({ task, kind: 'cancelled' as const, details: { reason: 'journey' } })),
      now,
    )
    if (left.length > 0) this.#tell()
  }

  /** Reminds, calls overdue and escalates what is due. Returns whether there may be more. */
  async advance(): Promise<boolean> {
    const { database, clock } = this.#context
    const now = clock.now()
    // As long as nothing is due, looking writes nothing.
    const basis = (await QueueBook.read(database.db)).basis()
    if (basis === this.#basis && !(await findDue(database.db, now))) return false
    const did = await transact(database.db, async (tx) => {
      // Nodes take turns, so that each thing is done once.
      await readCursor(tx, TASKS_CURSOR)
      const book = await QueueBook.read(tx)
      const followed = await followHours(tx, book, now)
      return (await advanceTasks(tx, book, now)) || followed
    })
    this.#basis = basis
    if (did) this.#tell()
    return did
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** Whether a journey waits for the task. */
function isStep(task: StoredTask): task is StoredTask & { key: string } {
  return task.enrolment_id !== null && task.key !== null
}
