import { randomUUID } from 'node:crypto'
import { AppError } from '@huitou/plugin-api'
import { readCursor } from '../db/cursor.ts'
import { transact } from '../db/database.ts'
import { updateRows } from '../db/insert-rows.ts'
import { answerAction } from '../journeys/action-answers.ts'
import { renderPlainContent } from '../journeys/variables.ts'
import { readPeople } from '../journeys/people.ts'
import type { StoredDelivery } from './next-messages.ts'
import { withoutStopped } from './stopped-journeys.ts'
import { ATTEMPTS, backOff, CALL_MS, type DeliveryContext, isLost, LEASE_MS } from './worker-context.ts'

const BATCH = 50

/** Carries out due actions of one kind. An action goes through no guards: it reaches nobody by itself. */
export async function runActions(context: DeliveryContext, id: string): Promise<number> {
  const { database, clock, points } = context
  const action = points.actions.find(id)
  if (!action) return 0
  const now = clock.now()
  const token = randomUUID()
  const leased = await transact(database.db, async (tx) => {
    await readCursor(tx, 'deliveries')
    const due = await tx
      .selectFrom('deliveries')
      .selectAll()
      .where('state', '=', 'planned')
      .where('kind', '=', 'action')
      .where('channel', '=', id)
      .where('account', '=', '')
      .where('due_at', '<=', now)
      .orderBy('due_at')
      .limit(BATCH)
      .execute()
    const rows = await withoutStopped(tx, due, now)
    await updateRows(tx, 'deliveries', {
      rows: rows.map((row) => ({
        id: row.id,
        state: 'leased',
        leased_until: now + LEASE_MS,
        lease_token: token,
        attempts: row.attempts + 1,
        updated_at: now,
      })),
      columns: {
        id: 'integer',
        state: 'text',
        leased_until: 'integer',
        lease_token: 'text',
        attempts: 'integer',
        updated_at: 'integer',
      },
      key: 'id',
    })
    return rows
  })
  if (leased.length === 0) return 0
  const people = await readPeople(
    database.db,
    leased.map(({ customer_id }) => customer_id),
  )
  const outcomes = await Promise.all(
    leased.map(async (row) => {
      const person = people.get(row.customer_id)
      if (!person) return { row, state: 'refused' as const, reason: 'gone', error: undefined }
      const given = JSON.parse(row.context) as Record<string, unknown>
      const rendered = renderPlainContent(
        JSON.parse(row.content) as Record<string, unknown>,
        { event: {}, ...given, customer: person.profile ?? {} },
        { deliveryKey: row.key, locale: '' },
      )
      if ('problem' in rendered)
        return { row, state: 'refused' as const, reason: 'content', error: new Error(rendered.problem) }
      try {
        const answer = await action.value.run(rendered.content, {
          key: row.key,
          customerId: person.id,
          now,
          signal: AbortSignal.timeout(CALL_MS),
        })
        return { row, state: 'done' as const, reason: null, error: undefined, answer: answer ?? {} }
      } catch (error) {
        return { row, ...afterError(row, error, action.value.idempotent === true), error }
      }
    }),
  )
  await record(context, token, outcomes)
  return leased.length
}

/** What was given up on while it ran may have happened all the same; then only an idempotent action runs again. */
function afterError(row: StoredDelivery, error: unknown, idempotent: boolean) {
  if (isLost(error) && !idempotent) return { state: 'unknown' as const, reason: 'no_answer' }
  if (error instanceof AppError && error.kind === 'user') return { state: 'dead' as const, reason: 'input' }
  if (row.attempts + 1 >= ATTEMPTS) return { state: 'dead' as const, reason: 'attempts' }
  return { state: 'planned' as const, reason: 'retry' }
}

interface ActionOutcome {
  row: StoredDelivery
  state: 'done' | 'refused' | 'unknown' | 'dead' | 'planned'
  reason: string | null
  error: unknown
  /** What it answered; absent for one that came to nothing. */
  answer?: unknown
}

async function record(
  { database, clock }: DeliveryContext,
  token: string,
  outcomes: readonly ActionOutcome[],
): Promise<void> {
  const now = clock.now()
  await transact(database.db, async (tx) => {
    for (const { row, state, reason, error, answer } of outcomes) {
      const details = error === undefined ? null : JSON.stringify({ message: String(error).slice(0, 500) })
      const { numUpdatedRows } = await tx
        .updateTable('deliveries')
        .set({
          state,
          reason,
          details,
          leased_until: null,
          due_at: state === 'planned' ? now + backOff(row.attempts + 1) : row.due_at,
          sent_at: state === 'done' ? now : null,
          updated_at: now,
        })
        .where('id', '=', row.id)
        .where('lease_token', '=', token)
        .where('state', 'in', ['leased', 'unknown'])
        .executeTakeFirst()
      if (Number(numUpdatedRows) === 0) continue
      // Of one whose fate is unknown nothing is said: whoever waits for it goes on when the time is over.
      if (state !== 'planned' && state !== 'unknown') await answerAction(tx, { key: row.key, answer, now })
      const kind = state === 'planned' ? 'retry' : state
      await tx
        .insertInto('delivery_events')
        .values({ delivery_id: row.id, at: now, kind, reason, details, receipt_key: null })
        .execute()
    }
  })
}
