import { businessDaysIn } from '../days.ts'
import type { Database } from '../db/database.ts'
import type { StoredChoice } from './apply-choice.ts'
import { othersTurn } from './rehearsal-world.ts'

export interface Rehearsal {
  from: number
  to: number
  /** Customers who would have come in, and how many of them would have been held out. */
  entered: number
  heldOut: number
  goals: { treated: number; holdout: number }
  /** Messages by step and channel. */
  messages: { node: string; channel: string; sent: number; refused: number; waiting: number }[]
  /** What would have kept messages back: caps, quotas, quiet hours … */
  refusals: { reason: string; count: number }[]
  /** Which channel came first for how many messages with several, and why. */
  choices: { choice: StoredChoice; count: number }[]
  actions: number
  days: { day: string; entered: number; sent: number; refused: number }[]
}

/** Rows of one piece of work: a rehearsal runs beside the server's requests, which wait for no more than this. */
export const PIECE = 500

/** What a played journey came to. */
export async function readRehearsal(
  { db }: Database,
  { id, from, to, timeZone }: { id: string; from: number; to: number; timeZone: string },
): Promise<Rehearsal> {
  const stats = await db.selectFrom('journey_stats').selectAll().where('journey_id', '=', id).execute()
  const countOf = (node: string, outcome: string) =>
    stats
      .filter((row) => row.node === node && row.outcome === outcome)
      .reduce((sum, { count }) => sum + Number(count), 0)
  const deliveries = await inPieces(
    async (after) =>
      await db
        .selectFrom('deliveries')
        .select(['id', 'kind', 'node', 'channel', 'state', 'reason', 'updated_at', 'choice'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(PIECE)
        .execute(),
  )
  const messages = deliveries.filter(({ kind }) => kind === 'message')
  const groups = Map.groupBy(messages, ({ node, channel }) => `${node ?? ''}\n${channel}`)
  const entered = await inPieces(
    async (after) =>
      await db
        .selectFrom('enrolments')
        .select(['id', 'entered_at'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(PIECE)
        .execute(),
  )
  const days = new Map<string, { day: string; entered: number; sent: number; refused: number }>()
  const calendar = businessDaysIn(timeZone)
  const dayOf = (at: number) => {
    const day = calendar.textOf(calendar.dayOf(at))
    const known = days.get(day) ?? { day, entered: 0, sent: 0, refused: 0 }
    days.set(day, known)
    return known
  }
  for (const { entered_at } of entered) dayOf(entered_at).entered++
  for (const { state, updated_at } of messages) {
    if (state === 'sent') dayOf(updated_at).sent++
    if (state === 'refused') dayOf(updated_at).refused++
  }
  const refused = Map.groupBy(
    messages.filter(({ state }) => state === 'refused'),
    ({ reason }) => reason ?? '',
  )
  return {
    from,
    to,
    entered: countOf('$entry', 'treated') + countOf('$entry', 'holdout'),
    heldOut: countOf('$entry', 'holdout'),
    goals: { treated: countOf('$goal', 'treated'), holdout: countOf('$goal', 'holdout') },
    messages: [...groups].map(([key, rows]) => {
      const [node = '', channel = ''] = key.split('\n')
      const count = (state: string) => rows.filter((row) => row.state === state).length
      return { node, channel, sent: count('sent'), refused: count('refused'), waiting: count('planned') }
    }),
    refusals: [...refused]
      .map(([reason, rows]) => ({ reason, count: rows.length }))
      .toSorted((a, b) => b.count - a.count),
    choices: toChoices(messages.map(({ choice }) => choice)),
    actions: deliveries.length - messages.length,
    days: [...days.values()].toSorted((a, b) => (a.day < b.day ? -1 : 1)),
  }
}

/** All rows, read piece by piece in the order of their ids. */
async function inPieces<R extends { id: number }>(read: (after: number) => Promise<R[]>): Promise<R[]> {
  const all: R[] = []
  for (let after = 0; ;) {
    const rows = await read(after)
    all.push(...rows)
    const last = rows.at(-1)
    if (!last || rows.length < PIECE) return all
    after = last.id
    await othersTurn()
  }
}

/** The share of answers is each customer's own: those who are written to for it are counted together. */
function toChoices(stored: readonly (string | null)[]): Rehearsal['choices'] {
  const all = stored.filter((choice) => choice !== null).map((choice) => JSON.parse(choice) as StoredChoice)
  const groups = Map.groupBy(all, (choice) =>
    JSON.stringify([choice.channel, choice.by, choice.by === 'rule' ? [choice.name, choice.rule] : null]),
  )
  return [...groups.values()]
    .map((same) => ({ choice: same[0]!, count: same.length }))
    .toSorted((a, b) => b.count - a.count)
}
