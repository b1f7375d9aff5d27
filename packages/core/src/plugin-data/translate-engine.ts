import { type Expression, type OperationNode, type RawBuilder, type ReferenceNode, sql } from 'kysely'
import type { Engine } from '../db/database.ts'
import { NUMBER_FUNCTION, NUMBER_PATTERN } from './number-text.ts'
import { queryError, shown } from './query-limits.ts'
import { CAST_TYPES, CASTS } from './query-vocabulary.ts'

/** `cast(… as …)` that gives NULL for text which is no number, on both databases. */
export function castTo(engine: Engine, value: OperationNode, type: unknown): OperationNode {
  const kind = typeof type === 'string' && Object.hasOwn(CASTS, type) ? CASTS[type] : undefined
  if (!kind)
    throw queryError(
      `Queries of plugins cannot cast to ${shown(type)}`,
      `They can cast to ${Object.keys(CASTS).join(', ')}.`,
    )
  const given = expression(value)
  const to = sql.raw(CAST_TYPES[engine][kind])
  if (kind === 'text') return sql`cast(${given} as ${to})`.toOperationNode()
  if (engine === 'sqlite') return sql`cast(${sql.raw(NUMBER_FUNCTION)}(${given}) as ${to})`.toOperationNode()
  const number = sql`cast(cast(${given} as text) as numeric)`
  const result = kind === 'integer' ? sql`trunc(${number})` : number
  return sql`case when cast(${given} as text) ~ ${sql.lit(NUMBER_PATTERN)} then cast(${result} as ${to}) end`.toOperationNode()
}

/** `like`, which minds case, and `ilike`, which does not; a backslash takes the meaning from `%` and `_`. */
export function likeText(
  engine: Engine,
  { left, operator, right }: { left: OperationNode; operator: string; right: OperationNode },
): OperationNode {
  const text = expression(left)
  const pattern = expression(right)
  if (engine === 'postgres') return sql`${text} ${sql.raw(operator)} ${pattern}`.toOperationNode()
  const not = operator.startsWith('not ') ? sql`not ` : sql``
  if (!operator.endsWith('ilike')) return sql`${text} ${not}like ${pattern} escape '\\'`.toOperationNode()
  return sql`lower(${text}) ${not}like lower(${pattern}) escape '\\'`.toOperationNode()
}

/** What stands at a path inside a JSON column, as JSON or as text. */
export function jsonStep(
  engine: Engine,
  {
    column,
    steps,
    asText,
  }: { column: ReferenceNode; steps: readonly (string | number | null)[]; asText: boolean },
): OperationNode {
  if (steps.length === 0) throw queryError('A path into JSON needs a step')
  let found: RawBuilder<unknown> = sql`${expression(column)}`
  for (const [index, step] of steps.entries()) {
    if (typeof step === 'number' ? !Number.isInteger(step) || step < 0 : typeof step !== 'string')
      throw queryError('A step into JSON is a name or a position from zero up')
    if (typeof step === 'string' && (step.startsWith('$') || step.includes('"')))
      throw queryError('A name in JSON that begins with "$" or holds a quotation mark cannot be looked up')
    const last = asText && index === steps.length - 1
    found = sql`${found} ${sql.raw(last ? '->>' : '->')} ${sql.lit(step)}`
  }
  // SQLite answers numbers as numbers, PostgreSQL as text: text is what both can give.
  return (engine === 'sqlite' && asText ? sql`cast(${found} as text)` : sql`(${found})`).toOperationNode()
}

function expression(node: OperationNode): Expression<unknown> {
  return { expressionType: undefined, toOperationNode: () => node }
}
