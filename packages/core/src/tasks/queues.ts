import { notFound, userError } from '@huitou/plugin-api'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import type { Db, Tx } from '../db/database.ts'
import { findSetting, readBrand, writeSetting } from '../settings/brand.ts'
import { BusinessClock, type BusinessHours, businessHoursSchema, DEFAULT_HOURS } from './business-hours.ts'
import { DEFAULT_QUEUE } from './tables.ts'

const SETTING = 'businessHours'
const minutes = z.int().min(1).max(100_000).nullable()
const person = z.string().min(1).max(100)

export const queueSchema = z.strictObject({
  name: z.string().trim().min(1).max(80),
  /** Ids of people; nobody named means everybody. */
  members: z.array(person).max(500).default([]),
  /** Whether members take tasks themselves or get them in turn. */
  assignment: z.enum(['claim', 'rotate']).default('claim'),
  /** Hours of its own; null for those of the brand. */
  hours: businessHoursSchema.nullable().default(null),
  /** Business minutes before a task is due that its assignee is reminded. */
  remindBeforeMinutes: minutes.default(null),
  /** Business minutes overdue after which somebody else is asked, and so on until it is done. */
  escalateAfterMinutes: minutes.default(null),
  escalateTo: z
    .union([z.strictObject({ queue: z.string().min(1).max(200) }), z.strictObject({ user: person })])
    .nullable()
    .default(null),
})

export type QueueSettings = z.infer<typeof queueSchema>

export interface TaskQueue extends QueueSettings {
  id: string
}

export async function readBusinessHours(db: Db | Tx): Promise<BusinessHours> {
  return ((await findSetting(db, SETTING)) as BusinessHours | undefined) ?? DEFAULT_HOURS
}

/** Tasks that are open are due by the new hours as soon as the clock of tasks has looked. */
export async function writeBusinessHours(db: Db | Tx, hours: BusinessHours): Promise<BusinessHours> {
  await writeSetting(db, SETTING, hours)
  return hours
}

/** Queues by name; the one for everything else is always there. */
export async function listQueues(db: Db | Tx): Promise<TaskQueue[]> {
  const rows = await db.selectFrom('task_queues').selectAll().orderBy('created_at').orderBy('id').execute()
  const queues = rows.map((row): TaskQueue => ({
    id: row.id,
    name: row.name,
    members: JSON.parse(row.members) as string[],
    assignment: row.assignment,
    hours: row.hours === null ? null : (JSON.parse(row.hours) as BusinessHours),
    remindBeforeMinutes: row.remind_minutes,
    escalateAfterMinutes: row.escalate_minutes,
    escalateTo:
      row.escalate_queue !== null
        ? { queue: row.escalate_queue }
        : row.escalate_user !== null
          ? { user: row.escalate_user }
          : null,
  }))
  if (queues.some(({ id }) => id === DEFAULT_QUEUE)) return queues
  return [{ ...NEW_QUEUE, id: DEFAULT_QUEUE }, ...queues]
}

const NEW_QUEUE: Omit<TaskQueue, 'id'> = {
  name: '',
  members: [],
  assignment: 'claim',
  hours: null,
  remindBeforeMinutes: null,
  escalateAfterMinutes: null,
  escalateTo: null,
}

/** Makes or changes a queue. One that hands its tasks on to itself, or to what is not there, is refused. */
export async function saveQueue(
  tx: Tx,
  { id = uuid(), settings, now }: { id?: string | undefined; settings: QueueSettings; now: number },
): Promise<TaskQueue> {
  const { escalateTo } = settings
  if (escalateTo && 'queue' in escalateTo) {
    if (escalateTo.queue === id)
      throw userError('E_TASK_ESCALATION', 'A queue cannot escalate to itself', {
        hint: 'Choose another queue, or a person.',
      })
    const queues = await listQueues(tx)
    if (!queues.some((queue) => queue.id === escalateTo.queue)) throw notFound('Queue', escalateTo.queue)
  }
  if (settings.assignment === 'rotate' && settings.members.length === 0)
    throw userError('E_TASK_ROTATION', 'Nobody belongs to the queue, so nobody can get its tasks in turn', {
      hint: 'Add members, or let people take tasks themselves.',
    })
  const row = {
    name: settings.name,
    members: JSON.stringify([...new Set(settings.members)]),
    assignment: settings.assignment,
    hours: settings.hours === null ? null : JSON.stringify(settings.hours),
    remind_minutes: settings.remindBeforeMinutes,
    escalate_minutes: settings.escalateAfterMinutes,
    escalate_queue: escalateTo && 'queue' in escalateTo ? escalateTo.queue : null,
    escalate_user: escalateTo && 'user' in escalateTo ? escalateTo.user : null,
  }
  await tx
    .insertInto('task_queues')
    .values({ id, created_at: now, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute()
  return { id, ...settings }
}

/** Takes a queue away. What is open in it goes to the queue for everything else. */
export async function deleteQueue(tx: Tx, id: string): Promise<void> {
  if (id === DEFAULT_QUEUE)
    throw userError('E_TASK_QUEUE', 'The queue for everything else cannot be deleted', {
      hint: 'Change its members and hours instead.',
    })
  const { numDeletedRows } = await tx.deleteFrom('task_queues').where('id', '=', id).executeTakeFirst()
  if (Number(numDeletedRows) === 0) throw notFound('Queue', id)
  await tx
    .updateTable('tasks')
    .set({ queue: DEFAULT_QUEUE })
    .where('queue', '=', id)
    .where('ended_at', 'is', null)
    .execute()
  await tx.updateTable('task_queues').set({ escalate_queue: null }).where('escalate_queue', '=', id).execute()
}

/** Queues with the clock of each, as they are at this moment. */
export class QueueBook {
  readonly #queues: ReadonlyMap<string, TaskQueue>
  readonly #hours: BusinessHours
  readonly #timeZone: string

  constructor(queues: readonly TaskQueue[], hours: BusinessHours, timeZone: string) {
    this.#queues = new Map(queues.map((queue) => [queue.id, queue]))
    this.#hours = hours
    this.#timeZone = timeZone
  }

  static async read(db: Db | Tx): Promise<QueueBook> {
    const { timeZone } = await readBrand(db)
    return new QueueBook(await listQueues(db), await readBusinessHours(db), timeZone)
  }

  /** A queue; one that nobody has set up yet is open to everybody. */
  queue(id: string): TaskQueue {
    return this.#queues.get(id) ?? { ...NEW_QUEUE, id }
  }

  has(id: string): boolean {
    return this.#queues.has(id)
  }

  clock(id: string): BusinessClock {
    return clockFor(this.#queues.get(id)?.hours ?? this.#hours, this.#timeZone)
  }

  /** Says, in words to be kept, everything that moments of tasks depend on. */
  basis(): string {
    const queues = [...this.#queues.values()].map(
      ({ id, hours, remindBeforeMinutes, escalateAfterMinutes, escalateTo }) => ({
        ...{ id, hours, remindBeforeMinutes, escalateAfterMinutes, escalateTo },
      }),
    )
    return JSON.stringify({ timeZone: this.#timeZone, hours: this.#hours, queues })
  }

  /** The book that a basis was taken from, as far as moments go. */
  static of(basis: string): QueueBook {
    const { timeZone, hours, queues } = JSON.parse(basis) as {
      timeZone: string
      hours: BusinessHours
      queues: Partial<TaskQueue>[]
    }
    const full = queues.map((queue): TaskQueue => ({ id: '', ...NEW_QUEUE, ...queue }))
    return new QueueBook(full, hours, timeZone)
  }
}

/** Clocks remember the days they have looked up, so each is made once. */
const clocks = new Map<string, BusinessClock>()
const CLOCKS_KEPT = 50

function clockFor(hours: BusinessHours, timeZone: string): BusinessClock {
  const key = `${timeZone} ${JSON.stringify(hours)}`
  let clock = clocks.get(key)
  if (!clock) {
    if (clocks.size >= CLOCKS_KEPT) clocks.clear()
    clocks.set(key, (clock = new BusinessClock(hours, timeZone)))
  }
  return clock
}
