import type { Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { insertEvents } from '../events/append.ts'
import type { NewEvent } from '../events/normalize.ts'
import { nameOf, readPeople } from '../journeys/people.ts'
import type { TaskRow } from './tables.ts'
import type { Selectable } from 'kysely'

export type StoredTask = Selectable<TaskRow>

/** Source of what happens to tasks, in the log of events. */
const TASK_SOURCE = 'huitou:tasks'

/** What the customer's timeline tells, by what the task's own history says. */
const EVENT_NAMES: Record<string, string> = {
  created: 'task.created',
  claimed: 'task.claimed',
  done: 'task.done',
  overdue: 'task.overdue',
  escalated: 'task.escalated',
}

export interface Happening {
  task: Pick<
    StoredTask,
    'id' | 'kind' | 'queue' | 'customer_id' | 'journey_id' | 'node' | 'outcome' | 'escalations'
  >
  kind:
    | 'created'
    | 'claimed'
    | 'released'
    | 'assigned'
    | 'moved'
    | 'snoozed'
    | 'resumed'
    | 'reminded'
    | 'overdue'
    | 'escalated'
    | 'done'
    | 'reopened'
    | 'cancelled'
  userId?: string | null | undefined
  details?: Record<string, unknown>
}

/**
 * Writes down what happened to tasks, and onto the timelines of their customers: which task, never its words. Call it
 * in a transaction that has taken its turn in the log.
 */
export async function record(tx: Tx, happenings: readonly Happening[], now: number): Promise<void> {
  if (happenings.length === 0) return
  await insertRows(tx, 'task_events', {
    rows: happenings.map(({ task, kind, userId, details }) => ({
      task_id: task.id,
      at: now,
      kind,
      user_id: userId ?? null,
      details: JSON.stringify(details ?? {}),
    })),
    columns: { task_id: 'integer', at: 'integer', kind: 'text', user_id: 'text', details: 'json' },
  })
  const told = happenings.filter(({ task, kind }) => task.customer_id !== null && kind in EVENT_NAMES)
  if (told.length === 0) return
  const people = await readPeople(
    tx,
    told.map(({ task }) => task.customer_id as number),
  )
  const events = told.flatMap(({ task, kind }): NewEvent[] => {
    const person = people.get(task.customer_id as number)
    if (!person) return []
    return [
      {
        message_id: `${task.id}:${kind}:${now}`,
        source: TASK_SOURCE,
        type: 'track',
        name: EVENT_NAMES[kind] as string,
        ts: now,
        version: now,
        body: JSON.stringify({
          ...nameOf(person),
          properties: {
            task_id: task.id,
            kind: task.kind,
            queue: task.queue,
            ...(task.journey_id === null ? {} : { journey_id: task.journey_id, node: task.node }),
            ...(kind === 'done' ? { outcome: task.outcome } : {}),
            ...(kind === 'escalated' ? { times: task.escalations } : {}),
          },
        }),
      },
    ]
  })
  if (events.length > 0) await insertEvents(tx, events, now)
}
