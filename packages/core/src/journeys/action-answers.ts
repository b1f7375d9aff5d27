import type { Tx } from '../db/database.ts'

/** Begins what somebody waits for at an action; the rest is the key of its delivery. */
export const ACTION_WAIT = 'action:'
/** What later steps are told of an answer is no file store. */
const LONGEST_ANSWER = 20_000

/**
 * An action has come to its end: what it answered stands at the enrolment that waits for it, which goes on. `undefined`
 * for one that failed. Somebody who waits no more hears nothing.
 */
export async function answerAction(
  tx: Tx,
  { key, answer, now }: { key: string; answer: unknown; now: number },
): Promise<void> {
  const id = Number(key.slice(0, key.indexOf('.')))
  if (!Number.isSafeInteger(id)) return
  const row = await tx
    .selectFrom('enrolments')
    .select(['node', 'data', 'due_at', 'held_due_at'])
    .where('id', '=', id)
    .where('waiting_for', '=', ACTION_WAIT + key)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  if (!row) return
  const data = JSON.parse(row.data) as { steps?: Record<string, unknown> }
  const text = answer === undefined ? undefined : JSON.stringify(answer)
  if (text !== undefined && text.length <= LONGEST_ANSWER)
    data.steps = { ...data.steps, [row.node]: JSON.parse(text) as unknown }
  await tx
    .updateTable('enrolments')
    .set({
      data: JSON.stringify(data),
      waiting_for: null,
      ...(row.due_at === null ? { held_due_at: now } : { due_at: now }),
    })
    .where('id', '=', id)
    .execute()
}
