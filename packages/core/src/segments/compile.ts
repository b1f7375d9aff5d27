import { userError } from '@huitou/plugin-api'
import { type Kysely, type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import { type BusinessDays, businessDaysIn } from '../days.ts'
import type { Db, Engine, Tx } from '../db/database.ts'
import { engineOf } from '../db/rows.ts'
import { vaultOf } from '../db/sealing.ts'
import { mayBeProfiled } from '../people/opted-out.ts'
import type { Vault } from '../people/vault.ts'
import { isSealed, type ProfileColumn } from '../profiles/columns.ts'
import type { Brand } from '../settings/brand.ts'
import { type Condition, compareValue } from './conditions.ts'
import { compareCount, matchingEvents, matchingEventsOfOne } from './event-conditions.ts'
import { classOf, getRuleColumn, readRuleColumns } from './rule-columns.ts'
import type { ColumnNode, EventNode, Rule, RuleNode, SegmentNode } from './rule.ts'

/** What a rule needs to know of another segment. */
export interface KnownSegment {
  id: string
  /** NULL for a static list. */
  rule: Rule | null
}

/** The world a rule is read in: columns, other segments, and which day it is. */
export interface RuleScope {
  engine: Engine
  vault: Vault
  columns: ReadonlyMap<string, ProfileColumn>
  segments: ReadonlyMap<string, KnownSegment>
  days: BusinessDays
  today: number
}

/**
 * `all` counts events of all customers at once and joins them, which suits a question about everybody; `few`
 * looks each customer's events up by itself, which suits a question about some.
 */
export type Reach = 'all' | 'few'

/** Conditions over the table `profiles`, each true or false and never NULL. */
export interface Compiled {
  conditions: Condition[]
  /** Event counts that the conditions refer to; to be joined to `profiles`. */
  joins: EventCounts[]
}

export interface EventCounts {
  alias: string
  /** Query with `customer_id` and `events`, at most one row a customer. */
  query: RawBuilder<unknown>
}

/** A rule read through its segments may not grow beyond this. */
const MAX_LEAVES = 500

/** Reads what rules refer to. `changed` stands in for a segment that is not stored yet, or differently. */
export async function readScope(
  db: Db | Tx,
  brand: Brand,
  options: { now: number; changed?: KnownSegment },
): Promise<RuleScope> {
  const columns = await readRuleColumns(db)
  const rows = await db.selectFrom('segments').select(['id', 'rule']).where('active', '=', 1).execute()
  const segments = new Map<string, KnownSegment>(
    rows.map(({ id, rule }) => [id, { id, rule: rule === null ? null : (JSON.parse(rule) as Rule) }]),
  )
  if (options.changed) segments.set(options.changed.id, options.changed)
  const days = businessDaysIn(brand.timeZone)
  return { engine: engineOf(db), vault: vaultOf(db), columns, segments, days, today: days.dayOf(options.now) }
}

/**
 * Turns nodes of rules into SQL. A segment inside a rule is read as the rule it stands for, so that the answer
 * never depends on whose membership was written first.
 */
export function compileNodes(nodes: readonly RuleNode[], scope: RuleScope, reach: Reach): Compiled {
  const compiler = new Compiler(scope, reach)
  return { conditions: nodes.map((node) => compiler.root(node)), joins: compiler.joins }
}

/** Whether a rule, or a segment in it, rests on conclusions: then it finds nobody who wants none drawn. */
export function restsOnConclusions(rule: Rule, scope: RuleScope): boolean {
  const compiler = new Compiler(scope, 'few')
  compiler.node(rule, [])
  return compiler.concludes
}

/** Throws what is wrong with a rule; `id` is the segment it belongs to. */
export function checkRule(rule: Rule, scope: RuleScope, id?: string): void {
  new Compiler(scope, 'few').node(rule, id === undefined ? [] : [id])
}

/** `profiles` with the event counts that compiled conditions refer to; still one row a customer. */
export function fromProfiles(
  db: Kysely<any>,
  joins: readonly EventCounts[],
): SelectQueryBuilder<any, 'profiles', object> {
  let query: SelectQueryBuilder<any, any, object> = db.selectFrom('profiles')
  for (const { alias, query: counts } of joins) {
    query = query.leftJoin(sql`(${counts})`.as(alias), (join) =>
      join.onRef(`${alias}.customer_id`, '=', 'profiles.customer_id'),
    )
  }
  return query
}

class Compiler {
  readonly joins: EventCounts[] = []
  readonly #scope: RuleScope
  readonly #reach: Reach
  readonly #known = new Map<string, Condition>()
  #leaves = 0
  /** Whether a score or a label was met. */
  concludes = false

  constructor(scope: RuleScope, reach: Reach) {
    this.#scope = scope
    this.#reach = reach
  }

  /** A whole rule. Who wants no conclusions drawn is in none that rests on them, not even as one of the others. */
  root(node: RuleNode): Condition {
    this.concludes = false
    const condition = this.node(node, [])
    return this.concludes ? sql<SqlBool>`(${condition} and ${mayBeProfiled()})` : condition
  }

  node(node: RuleNode, within: readonly string[]): Condition {
    if ('not' in node) return sql<SqlBool>`(not ${this.node(node.not, within)})`
    if ('all' in node) return this.#group(node.all, { joiner: ' and ', none: '1 = 1' }, within)
    if ('any' in node) return this.#group(node.any, { joiner: ' or ', none: '1 = 0' }, within)
    if (++this.#leaves > MAX_LEAVES) {
      throw userError(
        'E_RULE_TOO_LARGE',
        `The rule and the segments it names have more than ${MAX_LEAVES} conditions`,
      )
    }
    if ('column' in node) return this.#column(node)
    if ('event' in node) return this.#event(node)
    return this.#segment(node, within)
  }

  #group(
    nodes: readonly RuleNode[],
    words: { joiner: string; none: string },
    within: readonly string[],
  ): Condition {
    if (nodes.length === 0) return sql<SqlBool>`(${sql.raw(words.none)})`
    return sql<SqlBool>`(${sql.join(
      nodes.map((node) => this.node(node, within)),
      sql.raw(words.joiner),
    )})`
  }

  #column({ column: name, op, value }: ColumnNode): Condition {
    const column = getRuleColumn(this.#scope.columns, name)
    if (column.kind === 'score' || column.kind === 'label') this.concludes = true
    const operand = {
      ...this.#scope,
      name,
      valueClass: classOf(column.type),
      value: sql.ref(`profiles.${name}`),
      isSealed: isSealed(column) && this.#scope.vault.isOpen,
    }
    return compareValue(operand, op, value)
  }

  #event(node: EventNode): Condition {
    const known = this.#known.get(JSON.stringify(node))
    if (known) return known
    const condition = this.#reach === 'few' ? this.#eventOfEach(node) : this.#eventOfAll(node)
    this.#known.set(JSON.stringify(node), condition)
    return condition
  }

  #eventOfEach(node: EventNode): Condition {
    const mine = matchingEventsOfOne(node, this.#scope)
    if (node.count.op === '>=' && node.count.value === 1) return sql<SqlBool>`(exists (select 1 ${mine}))`
    if (node.count.op !== '>=' && node.count.value === 0) return sql<SqlBool>`(not exists (select 1 ${mine}))`
    return compareCount(sql`(select count(*) ${mine})`, node.count)
  }

  #eventOfAll(node: EventNode): Condition {
    const alias = `events_${this.joins.length}`
    const matching = matchingEvents(node, this.#scope)
    this.joins.push({
      alias,
      query: sql`select t.customer_id, count(*) as events ${matching} group by t.customer_id`,
    })
    return compareCount(sql`coalesce(${sql.ref(`${alias}.events`)}, 0)`, node.count)
  }

  #segment({ segment: id }: SegmentNode, within: readonly string[]): Condition {
    const segment = this.#scope.segments.get(id)
    if (!segment) {
      throw userError('E_RULE_SEGMENT', `There is no segment "${id}"`, {
        hint: 'It was deleted, or the plugin it comes from is disabled.',
        details: { segment: id },
      })
    }
    if (within.includes(id)) {
      throw userError('E_RULE_LOOP', `Segment "${id}" would depend on itself`, {
        details: { segments: [...within, id] },
      })
    }
    if (segment.rule) return this.node(segment.rule, [...within, id])
    return sql<SqlBool>`(exists (select 1 from segment_members m where m.segment_id = ${id} and m.customer_id = profiles.customer_id))`
  }
}
