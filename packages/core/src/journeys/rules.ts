import { AppError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'
import { checkRule, compileNodes, type RuleScope } from '../segments/compile.ts'
import type { Rule } from '../segments/rule.ts'

/**
 * For each rule, in their order, which of the customers it finds: one query for all of them. A rule that cannot be read
 * any more, because the plugin of a column was disabled or a segment deleted, finds nobody and stops no other.
 */
export async function whoFits(
  tx: Tx,
  rules: readonly Rule[],
  { customers, scope }: { customers: readonly number[]; scope: RuleScope },
): Promise<Set<number>[]> {
  const found = rules.map(() => new Set<number>())
  if (customers.length === 0 || rules.length === 0) return found
  const readable = rules.filter((rule) => isReadable(rule, scope))
  if (readable.length === 0) return found
  const { conditions } = compileNodes(readable, scope, 'few')
  const rows = await tx
    .selectFrom(
      rowsOf(
        tx,
        [...new Set(customers)].map((id) => ({ id })),
        { id: 'integer' },
      ),
    )
    // SQLite keeps the order of a cross join: the customers are few and the profiles many.
    .crossJoin('profiles')
    .whereRef('profiles.customer_id', '=', 'r.id')
    .select('profiles.customer_id')
    .select(
      conditions.map((condition, index) =>
        sql<number>`case when ${condition} then 1 else 0 end`.as(`rule_${index}`),
      ),
    )
    .execute()
  for (const row of rows)
    for (const [index, rule] of readable.entries())
      if ((row as Record<string, number>)[`rule_${index}`] === 1)
        found[rules.indexOf(rule)]?.add(row.customer_id)
  return found
}

/** Whether everything that a rule names is there. */
export function isReadable(rule: Rule, scope: RuleScope): boolean {
  try {
    checkRule(rule, scope)
    return true
  } catch (error) {
    if (error instanceof AppError && error.kind === 'user') return false
    throw error
  }
}
