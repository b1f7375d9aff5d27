import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'
import type { Link } from './components.ts'

/** What a person decided about two identifiers, `a` < `b`. */
export interface Decision {
  a: number
  b: number
  cut: number
  ts: number
  message_id: string
}

/** Stores decisions, of several about one pair the latest, and returns those that changed something. */
export async function writeDecisions(tx: Tx, decisions: Decision[]): Promise<Decision[]> {
  if (decisions.length === 0) return []
  const latest = new Map<string, Decision>()
  for (const decision of decisions) {
    const key = `${decision.a} ${decision.b}`
    const before = latest.get(key)
    if (!before || isLater(decision, before)) latest.set(key, decision)
  }
  const rows = [...latest.values()]
  const columns = ['a', 'b', 'cut', 'ts', 'message_id'] as const
  const written = await tx
    .insertInto('identity_decisions')
    .columns([...columns])
    .expression(
      tx
        .selectFrom(
          rowsOf(tx, rows, { a: 'integer', b: 'integer', cut: 'integer', ts: 'integer', message_id: 'text' }),
        )
        .select(columns.map((column) => `r.${column}` as const))
        .where(sql<boolean>`true`),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['a', 'b'])
        .doUpdateSet({
          cut: (set) => set.ref('excluded.cut'),
          ts: (set) => set.ref('excluded.ts'),
          message_id: (set) => set.ref('excluded.message_id'),
        })
        .where(
          sql<boolean>`excluded.ts > identity_decisions.ts or (excluded.ts = identity_decisions.ts and excluded.message_id > identity_decisions.message_id)`,
        ),
    )
    .returning([...columns])
    .execute()
  // Two identifiers declared one person need a link of their own: there may be no event that says so.
  const joined = written.filter(({ cut }) => cut === 0)
  if (joined.length > 0) {
    await tx
      .insertInto('identity_links')
      .columns(['a', 'b', 'weak', 'ts', 'message_id', 'seq'])
      .expression(
        tx
          .selectFrom(
            rowsOf(tx, joined, {
              a: 'integer',
              b: 'integer',
              cut: 'integer',
              ts: 'integer',
              message_id: 'text',
            }),
          )
          .select(['r.a', 'r.b', sql<number>`0`.as('weak'), 'r.ts', 'r.message_id', sql<number>`0`.as('seq')])
          .where(sql<boolean>`true`),
      )
      .onConflict((conflict) => conflict.columns(['a', 'b']).doNothing())
      .execute()
  }
  return written
}

/** Decisions about the ends of these links, by pair. */
export async function readDecisions(tx: Tx, links: readonly Link[]): Promise<Map<string, Decision>> {
  if (links.length === 0) return new Map()
  const pairs = links.map(({ a, b }) => ({ a: Math.min(a, b), b: Math.max(a, b) }))
  const found = await tx
    .selectFrom(rowsOf(tx, pairs, { a: 'integer', b: 'integer' }))
    .innerJoin('identity_decisions', (join) =>
      join.onRef('identity_decisions.a', '=', 'r.a').onRef('identity_decisions.b', '=', 'r.b'),
    )
    .selectAll('identity_decisions')
    .execute()
  return new Map(found.map((decision) => [`${decision.a} ${decision.b}`, decision]))
}

export function isCutBy(decisions: ReadonlyMap<string, Decision>, { a, b }: Pick<Link, 'a' | 'b'>): boolean {
  return decisions.get(`${Math.min(a, b)} ${Math.max(a, b)}`)?.cut === 1
}

function isLater(a: Decision, b: Decision): boolean {
  return a.ts !== b.ts ? a.ts > b.ts : a.message_id > b.message_id
}
