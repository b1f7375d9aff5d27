import type { Tx } from '../db/database.ts'
import { updateRows } from '../db/insert-rows.ts'
import type { StepText } from './definition.ts'
import type { Moment } from './known.ts'
import { writeSteps } from './follow-events.ts'
import { addStats } from './stats.ts'

/** Work that a journey hands to a person. */
export interface JourneyTask {
  /** Names the step: {@link finishHumanStep} is called with it. */
  key: string
  kind: string
  title: string
  queue?: string | undefined
  customerId: number
  journeyId: string
  enrolmentId: number
  node: string
  /** What to say, with variables. */
  script?: string | undefined
  /** How it may end. */
  outcomes: { id: string; title?: StepText | undefined }[]
  /** Business time until it has to be done. */
  dueMinutes: number
  data: Record<string, unknown>
}

/** Whoever keeps tasks. Called in the transaction of the step, so that no step is without its task. */
export interface HumanTasks {
  open(tx: Tx, tasks: readonly JourneyTask[], now: number): Promise<void>
  /** These enrolments wait for nobody any more: what is still open for them is not to be done. */
  leave(tx: Tx, enrolmentIds: readonly number[], now: number): Promise<void>
}

export const TASK_WAIT = 'task:'

/** Nobody is going to do it: the journey goes on at once as it would when the time is over. */
export async function skipHumanStep(tx: Tx, key: string, now: number): Promise<void> {
  for (const due of ['due_at', 'held_due_at'] as const) {
    await tx
      .updateTable('enrolments')
      .set({ [due]: now })
      .where('waiting_for', '=', TASK_WAIT + key)
      .where('waiting_for', 'like', `${TASK_WAIT}%`)
      .where('ended_at', 'is', null)
      .where(due, 'is not', null)
      .execute()
  }
}

/**
 * A person has done what the journey asked for: it goes on where the outcome leads. Returns false when it waits for
 * that no more.
 */
export async function finishHumanStep(
  tx: Tx,
  { key, outcome, moment }: { key: string; outcome: string; moment: Pick<Moment, 'now' | 'known'> },
): Promise<boolean> {
  const row = await tx
    .selectFrom('enrolments')
    .selectAll()
    .where('waiting_for', '=', TASK_WAIT + key)
    .where('waiting_for', 'like', `${TASK_WAIT}%`)
    .executeTakeFirst()
  if (!row || row.ended_at !== null) return false
  const node = moment.known.definition(row.journey_id, row.version)?.nodes[row.node]
  if (node?.type !== 'task') return false
  const next = node.outcomes[outcome] ?? node.next
  const isPaused = moment.known.journeys.get(row.journey_id)?.state === 'paused'
  await updateRows(tx, 'enrolments', {
    rows: [
      {
        id: row.id,
        waiting_for: null,
        visit: row.visit + 1,
        node: next ?? row.node,
        state: next === undefined ? 'done' : 'active',
        due_at: next === undefined || isPaused ? null : moment.now,
        held_due_at: next !== undefined && isPaused ? moment.now : null,
        ended_at: next === undefined ? moment.now : null,
        ended_reason: next === undefined ? 'end' : null,
      },
    ],
    columns: {
      id: 'integer',
      waiting_for: 'text',
      visit: 'integer',
      node: 'text',
      state: 'text',
      due_at: 'integer',
      held_due_at: 'integer',
      ended_at: 'integer',
      ended_reason: 'text',
    },
    key: 'id',
  })
  const step = {
    enrolment_id: row.id,
    visit: row.visit,
    node: row.node,
    at: moment.now,
    outcome: `done:${outcome}`,
  }
  await writeSteps(tx, [step])
  await addStats(tx, [
    { journey_id: row.journey_id, version: row.version, node: row.node, outcome: step.outcome },
  ])
  return true
}
