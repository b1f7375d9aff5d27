import { readCursor, writeCursor } from '../db/cursor.ts'
import type { Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'
import { enrol } from './enrol.ts'
import type { Moment } from './known.ts'
import { addStats } from './stats.ts'

export const SEGMENTS_CURSOR = 'journeys:segments'
const BATCH = 2_000

/**
 * Reads who entered and left segments: exits are taken, customers let in. The segments stage writes that log under a
 * lock, so a cursor over it meets no gaps.
 */
export async function followSegments(tx: Tx, moment: Moment): Promise<boolean> {
  const from = await readCursor(tx, SEGMENTS_CURSOR)
  const segments = [...moment.known.segments]
  if (segments.length === 0) {
    const last = await lastChange(tx)
    if (last > from) await writeCursor(tx, SEGMENTS_CURSOR, last)
    return false
  }
  const rows = await tx
    .selectFrom('segment_changes')
    .select(['seq', 'segment_id', 'customer_id', 'at', 'entered'])
    .where('seq', '>', from)
    .orderBy('seq')
    .limit(BATCH)
    .execute()
  const last = rows.at(-1)
  if (!last) return false
  const heard = rows.filter(({ segment_id }) => moment.known.segments.has(segment_id))
  await leaveBySegment(tx, heard, moment)
  for (const journey of moment.known.journeys.values()) {
    const trigger = journey.entry?.definition.trigger
    if (!journey.entry || trigger?.type !== 'segment') continue
    const entered = trigger.on === 'enter' ? 1 : 0
    const entries = heard
      .filter((change) => change.segment_id === trigger.segment && change.entered === entered)
      .map(({ customer_id, at }) => ({ customerId: customer_id, entryKey: '', data: {}, at }))
    await enrol(tx, { id: journey.id, ...journey.entry }, entries, moment)
  }
  await writeCursor(tx, SEGMENTS_CURSOR, last.seq)
  return true
}

export async function lastChange(tx: Tx): Promise<number> {
  const row = await tx
    .selectFrom('segment_changes')
    .select((change) => change.fn.max('seq').as('last'))
    .executeTakeFirst()
  return Number(row?.last ?? 0)
}

interface Change {
  segment_id: string
  customer_id: number
  at: number
  entered: number
}

async function leaveBySegment(tx: Tx, changes: readonly Change[], moment: Moment): Promise<void> {
  for (const [journeyId, { versions }] of moment.known.journeys) {
    for (const [version, { exits }] of versions) {
      for (const exit of exits) {
        if (!('segment' in exit)) continue
        const entered = exit.on === 'enter' ? 1 : 0
        const leaving = changes.filter(
          (change) => change.segment_id === exit.segment && change.entered === entered,
        )
        if (leaving.length === 0) continue
        const reason = `segment:${exit.segment}`
        const customers = rowsOf(
          tx,
          leaving.map(({ customer_id, at }) => ({ customer: customer_id, at })),
          { customer: 'integer', at: 'integer' },
        )
        const left = await tx
          .updateTable('enrolments')
          .set({
            state: 'exited',
            ended_at: leaving.at(-1)?.at ?? 0,
            ended_reason: reason,
            due_at: null,
            held_due_at: null,
            waiting_for: null,
          })
          .where('journey_id', '=', journeyId)
          .where('version', '=', version)
          .where('ended_at', 'is', null)
          .where('customer_id', 'in', (where) =>
            where
              .selectFrom(customers)
              .innerJoin('identifiers', 'identifiers.customer_id', 'r.customer')
              .select('identifiers.id'),
          )
          .returning('id')
          .execute()
        if (left.length > 0)
          await moment.tasks?.leave(
            tx,
            left.map(({ id }) => id),
            moment.now,
          )
        await addStats(
          tx,
          left.map(() => ({ journey_id: journeyId, version, node: '$exit', outcome: reason })),
        )
      }
    }
  }
}
