import { type Kysely, type SelectQueryBuilder, sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { compileNodes, fromProfiles, readScope, type RuleScope } from './compile.ts'
import { type Rule, sentencesOf } from './rule.ts'

export interface RuleCount {
  count: number
  /** Customers there are. */
  total: number
  tookMs: number
  /** Customers left after each top sentence; for `any`, customers gathered so far. */
  steps: { path: string; count: number }[]
}

/** How many customers a rule finds, and what each sentence does to the number. One scan, beside ingestion. */
export async function countRule(
  { database, brand, clock }: Pick<CoreContext, 'database' | 'brand' | 'clock'>,
  rule: Rule,
): Promise<RuleCount> {
  const started = performance.now()
  const scope = await readScope(database.db, await brand(), { now: clock.now() })
  const { sentences } = sentencesOf(rule)
  const row = (await countQuery(database.analytics, rule, scope).executeTakeFirst()) ?? {}
  const total = Number(row['total'] ?? 0)
  const steps = sentences.map(({ path }, index) => ({ path, count: Number(row[`step_${index}`] ?? 0) }))
  const none = 'all' in rule ? total : 0
  return { count: steps.at(-1)?.count ?? none, total, tookMs: Math.round(performance.now() - started), steps }
}

/**
 * Every row is given the number of the sentence that decides about it: the first that fails (`all`) or holds
 * (`any`). Sums over that number are the steps, and no condition is evaluated twice.
 */
function countQuery(
  db: Kysely<any>,
  rule: Rule,
  scope: RuleScope,
): SelectQueryBuilder<any, any, Record<string, number>> {
  const { join, sentences } = sentencesOf(rule)
  const { conditions, joins } = compileNodes(
    sentences.map(({ node }) => node),
    scope,
    'all',
  )
  const decides = conditions.map((condition, index) =>
    join === 'all'
      ? sql`when not ${condition} then ${sql.lit(index)}`
      : sql`when ${condition} then ${sql.lit(index)}`,
  )
  const step =
    conditions.length === 0
      ? sql`0`
      : sql`case ${sql.join(decides, sql` `)} else ${sql.lit(conditions.length)} end`
  const rows = fromProfiles(db, joins).select(step.as('step'))
  // Without a bound the engines would write the expression into every sum and evaluate it as often.
  const fenced = scope.engine === 'sqlite' ? rows.limit(sql<number>`-1`) : rows.offset(sql<number>`0`)
  const sums = sentences.map((_, index) => {
    const counts = join === 'all' ? sql`s.step > ${sql.lit(index)}` : sql`s.step <= ${sql.lit(index)}`
    return sql<number>`sum(case when ${counts} then 1 else 0 end)`.as(`step_${index}`)
  })
  return db.selectFrom(fenced.as('s')).select([sql<number>`count(*)`.as('total'), ...sums])
}
