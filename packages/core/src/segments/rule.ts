import { userError } from '@huitou/plugin-api'
import { z } from 'zod'

export const COLUMN_OPS = [
  'is',
  'is_not',
  'in',
  'not_in',
  'contains',
  'not_contains',
  'starts_with',
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'is_set',
  'is_not_set',
  'within_days',
  'before_days',
  'on_or_after',
  'before',
  'true',
  'false',
] as const

export type ColumnOp = (typeof COLUMN_OPS)[number]
export type RuleValue = string | number | boolean | (string | number)[] | null

export interface ColumnNode {
  column: string
  op: ColumnOp
  value?: RuleValue
}

export interface PropertyFilter {
  property: string
  op: ColumnOp
  value?: RuleValue
}

export interface EventNode {
  event: string
  /** All of these hold for the event's properties. */
  where?: PropertyFilter[]
  count: { op: '>=' | '<=' | '='; value: number }
  /** Only the last `days` business days, today included. */
  within?: { days: number }
}

export interface SegmentNode {
  segment: string
}

export type RuleNode =
  | { all: RuleNode[] }
  | { any: RuleNode[] }
  | { not: RuleNode }
  | ColumnNode
  | EventNode
  | SegmentNode

/** Who belongs to a segment. `all` of nothing is everybody, `any` of nothing is nobody. */
export type Rule = { all: RuleNode[] } | { any: RuleNode[] }

const MAX_DEPTH = 12
const MAX_NODES = 200
const MAX_VALUES = 1_000
const MAX_TEXT = 500

const scalar = z.union([z.string().max(MAX_TEXT), z.number()])
const value = z.union([scalar, z.boolean(), z.array(scalar).max(MAX_VALUES), z.null()])
const op = z.enum(COLUMN_OPS)
const name = z.string().min(1).max(200)

const columnNode = z.strictObject({ column: name, op, value: value.optional() })
const eventNode = z.strictObject({
  event: name,
  where: z
    .array(z.strictObject({ property: name, op, value: value.optional() }))
    .max(20)
    .optional(),
  count: z.strictObject({ op: z.enum(['>=', '<=', '=']), value: z.int().min(0).max(1_000_000) }),
  within: z.strictObject({ days: z.int().min(1).max(36_500) }).optional(),
})
const segmentNode = z.strictObject({ segment: name })
const node: z.ZodType<RuleNode, RuleNode> = z
  .lazy(() => z.union([group, notNode, columnNode, eventNode, segmentNode]))
  .meta({ id: 'RuleNode' })
const notNode = z.strictObject({ not: node })
const group = z
  .union([z.strictObject({ all: z.array(node) }), z.strictObject({ any: z.array(node) })])
  .meta({ id: 'Rule', description: 'Who belongs: sentences joined by `all` or `any`' })

/** A rule as it arrives from outside. Depth and size are checked first, without recursion. */
export const ruleSchema = z.preprocess((input, context) => {
  const problem = tooLarge(input)
  if (problem) context.addIssue({ code: 'custom', message: problem })
  return problem ? z.NEVER : input
}, group) as unknown as z.ZodType<Rule, Rule>

/** Reads a rule from anywhere but HTTP. Says where it is malformed (`E_RULE`). */
export function parseRule(input: unknown): Rule {
  const result = ruleSchema.safeParse(input)
  if (result.success) return result.data
  const { path, message } = deepestIssue(result.error.issues)
  throw userError(
    'E_RULE',
    `The rule is malformed${path.length > 0 ? ` at ${path.join('.')}` : ''}: ${message}`,
    {
      hint: 'A rule is { all: […] } or { any: […] } of sentences.',
    },
  )
}

/** What a rule looks at, directly: not through the segments it names. */
export interface Mentions {
  columns: Set<string>
  events: Set<string>
  segments: Set<string>
  /** Membership may change when nothing but the day does. */
  time: boolean
}

export function mentionsOf(rule: RuleNode): Mentions {
  const found: Mentions = { columns: new Set(), events: new Set(), segments: new Set(), time: false }
  for (const { leaf } of leavesOf(rule)) {
    if ('column' in leaf) {
      found.columns.add(leaf.column)
      if (leaf.op === 'within_days' || leaf.op === 'before_days') found.time = true
    } else if ('event' in leaf) {
      found.events.add(leaf.event)
      if (leaf.within) found.time = true
    } else found.segments.add(leaf.segment)
  }
  return found
}

export interface Leaf {
  /** Where it stands: `all.1.not`. */
  path: string
  leaf: ColumnNode | EventNode | SegmentNode
  /** It counts when it does not hold. */
  negated: boolean
}

/** Conditions of a rule in reading order. */
export function* leavesOf(rule: RuleNode, path = '', negated = false): Generator<Leaf> {
  const at = (step: string) => (path === '' ? step : `${path}.${step}`)
  if ('not' in rule) yield* leavesOf(rule.not, at('not'), !negated)
  else if ('all' in rule)
    for (const [index, member] of rule.all.entries()) yield* leavesOf(member, at(`all.${index}`), negated)
  else if ('any' in rule)
    for (const [index, member] of rule.any.entries()) yield* leavesOf(member, at(`any.${index}`), negated)
  else yield { path, leaf: rule, negated }
}

/** Top sentences of a rule with their paths. */
export function sentencesOf(rule: Rule): {
  join: 'all' | 'any'
  sentences: { path: string; node: RuleNode }[]
} {
  const join = 'all' in rule ? 'all' : 'any'
  const nodes = 'all' in rule ? rule.all : rule.any
  return { join, sentences: nodes.map((sentence, index) => ({ path: `${join}.${index}`, node: sentence })) }
}

function tooLarge(input: unknown): string | undefined {
  let nodes = 0
  const waiting: { node: unknown; depth: number }[] = [{ node: input, depth: 1 }]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (typeof next.node !== 'object' || next.node === null) continue
    if (next.depth > MAX_DEPTH) return `A rule may be nested ${MAX_DEPTH} deep`
    if (++nodes > MAX_NODES) return `A rule may have ${MAX_NODES} parts`
    const { all, any, not } = next.node as { all?: unknown; any?: unknown; not?: unknown }
    for (const members of [all, any, [not]]) {
      if (Array.isArray(members))
        for (const member of members) waiting.push({ node: member, depth: next.depth + 1 })
    }
  }
  return undefined
}

/** Of a union's branches the one that got furthest says most about what was meant. */
function deepestIssue(issues: readonly z.core.$ZodIssue[]): { path: PropertyKey[]; message: string } {
  const found = issues.map((issue) => {
    if (issue.code !== 'invalid_union') return { path: issue.path, message: issue.message }
    const inner = issue.errors.map(deepestIssue)
    const best = inner.toSorted((a, b) => b.path.length - a.path.length)[0]
    return best
      ? { path: [...issue.path, ...best.path], message: best.message }
      : { path: issue.path, message: issue.message }
  })
  return found.toSorted((a, b) => b.path.length - a.path.length)[0] ?? { path: [], message: 'not a rule' }
}
