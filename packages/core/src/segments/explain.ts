import { type SqlBool, type RawBuilder, sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import type { Db } from '../db/database.ts'
import { maskValue } from '../people/masking.ts'
import { readOptedOut } from '../people/opted-out.ts'
import { compileNodes, readScope, restsOnConclusions, type RuleScope } from './compile.ts'
import { matchingEventsOfOne } from './event-conditions.ts'
import { type Leaf, leavesOf, type PropertyFilter, type Rule, type RuleNode, type RuleValue } from './rule.ts'

interface LineBase {
  path: string
  /** Whether the sentence as it stands, "not" included, is true of the customer. */
  ok: boolean
  negated: boolean
}

/** One condition, what it wants and what is the case. */
export type ExplainLine = LineBase &
  (
    | { kind: 'column'; column: string; op: string; actual: string | number | null; wanted: RuleValue }
    | {
        kind: 'event'
        event: string
        where: PropertyFilter[]
        withinDays: number | null
        op: string
        actual: number
        wanted: number
      }
    | { kind: 'segment'; segment: string; op: 'in'; actual: boolean; wanted: true }
  )

export interface Explanation {
  member: boolean
  /** The rule rests on scores or labels, and the customer wants no conclusions drawn: whatever the lines say, out. */
  optedOut: boolean
  lines: ExplainLine[]
}

/**
 * Why a rule finds a customer or does not: every condition in reading order, answered by the same SQL as the
 * membership. Somebody who does not exist is no member. Personal data is masked.
 */
export async function explainRule(
  { database, brand, clock }: Pick<CoreContext, 'database' | 'brand' | 'clock'>,
  rule: Rule,
  customerId: number,
): Promise<Explanation> {
  const scope = await readScope(database.db, await brand(), { now: clock.now() })
  return await explainInScope(database.db, rule, { scope, customerId })
}

export async function explainInScope(
  db: Db,
  rule: Rule,
  { scope, customerId }: { scope: RuleScope; customerId: number },
): Promise<Explanation> {
  const leaves = [...leavesOf(rule)]
  const nodes: RuleNode[] = [rule, ...leaves.map(({ leaf }) => leaf)]
  const { conditions } = compileNodes(nodes, scope, 'few')
  const row: Record<string, unknown> | undefined = await db
    .selectFrom('profiles')
    .select(conditions.map((condition, index) => truth(condition).as(`ok_${index}`)))
    .select(leaves.map((leaf, index) => actualOf(leaf, scope).as(`actual_${index}`)))
    .where('customer_id', '=', customerId)
    .executeTakeFirst()
  if (!row) return { member: false, optedOut: false, lines: [] }
  const optedOut = restsOnConclusions(rule, scope) && (await readOptedOut(db, [customerId])).has(customerId)
  return {
    optedOut,
    member: row['ok_0'] === 1,
    lines: leaves.map((leaf, index) =>
      toLine(leaf, { holds: row[`ok_${index + 1}`] === 1, actual: row[`actual_${index}`], scope }),
    ),
  }
}

/** Times a customer joined and left a segment, the latest first. */
export async function membershipHistory(
  db: Db,
  segmentId: string,
  customerId: number,
): Promise<{ at: number; entered: boolean }[]> {
  const rows = await db
    .selectFrom('segment_changes')
    .select(['at', 'entered'])
    .where('segment_id', '=', segmentId)
    .where('customer_id', '=', customerId)
    .orderBy('seq', 'desc')
    .limit(100)
    .execute()
  return rows.map(({ at, entered }) => ({ at, entered: entered === 1 }))
}

function truth(condition: RawBuilder<SqlBool>): RawBuilder<number> {
  return sql<number>`case when ${condition} then 1 else 0 end`
}

function actualOf({ leaf }: Leaf, scope: RuleScope): RawBuilder<unknown> {
  if ('column' in leaf) return sql`${sql.ref(`profiles.${leaf.column}`)}`
  if ('event' in leaf) return sql`(select count(*) ${matchingEventsOfOne(leaf, scope)})`
  return sql`null`
}

function toLine(
  { path, leaf, negated }: Leaf,
  { holds, actual, scope }: { holds: boolean; actual: unknown; scope: RuleScope },
): ExplainLine {
  const base = { path, ok: holds !== negated, negated }
  if ('segment' in leaf)
    return { ...base, kind: 'segment', segment: leaf.segment, op: 'in', actual: holds, wanted: true }
  if ('event' in leaf) {
    return {
      ...base,
      kind: 'event',
      event: leaf.event,
      where: leaf.where ?? [],
      withinDays: leaf.within?.days ?? null,
      op: leaf.count.op,
      actual: Number(actual),
      wanted: leaf.count.value,
    }
  }
  const column = scope.columns.get(leaf.column)
  const shown = (actual ?? null) as string | number | null
  return {
    ...base,
    kind: 'column',
    column: leaf.column,
    op: leaf.op,
    actual: column ? maskValue(shown, column) : shown,
    wanted: leaf.value ?? null,
  }
}
