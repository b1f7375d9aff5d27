import { userError } from '@huitou/plugin-api'
import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { BusinessDays } from '../days.ts'
import type { Engine } from '../db/database.ts'
import { sameText } from '../people/sealed-conditions.ts'
import type { Vault } from '../people/vault.ts'
import { type Condition, compareValue, sealedError } from './conditions.ts'
import type { ColumnOp, PropertyFilter, RuleValue } from './rule.ts'

export interface EventScope {
  engine: Engine
  vault: Vault
  days: BusinessDays
  today: number
}

const POSITIVE: Partial<Record<ColumnOp, ColumnOp>> = {
  is_not: 'is',
  not_in: 'in',
  not_contains: 'contains',
  is_not_set: 'is_set',
}

/**
 * Comparison of a property of the event `e`, never NULL. A path such as `items.category` goes through objects and
 * lists; it holds when any value found does, and `is_not` when none is. Numbers compare as numbers where the event
 * holds a number, and `is` finds the number 5 by the text "5" too.
 */
export function compareProperty(filter: PropertyFilter, scope: EventScope): Condition {
  const positive = POSITIVE[filter.op]
  if (positive) return sql<SqlBool>`(not ${compareProperty({ ...filter, op: positive }, scope)})`
  const { from, found } = valuesAt(filter.property, scope.engine)
  return sql<SqlBool>`(exists (select 1 from ${from} where ${compareFound(filter, found, scope)}))`
}

function compareFound(
  filter: PropertyFilter,
  { text, number, set }: Found,
  scope: EventScope,
): RawBuilder<unknown> {
  const { vault } = scope
  const operand = { name: filter.property, engine: scope.engine, vault, days: scope.days, today: scope.today }
  // Of a property with a telling name every text is sealed; elsewhere a phone number or an e-mail address may be.
  const isSealed =
    vault.isOpen && filter.property.split('.').some((step) => vault.personal.isPersonalName(step))
  switch (filter.op) {
    case 'is_set':
      return set
    case 'true':
    case 'false':
      return equals({ text, number }, [filter.op], vault)
    case 'is':
    case 'in':
      return equals({ text, number }, listOf(filter), vault)
    case 'contains':
    case 'starts_with':
      if (isSealed) throw sealedError(filter.property, filter.op)
      return compareValue({ ...operand, valueClass: 'text', value: text }, filter.op, filter.value)
    default:
      return compareValue({ ...operand, valueClass: 'number', value: number }, filter.op, filter.value)
  }
}

/** One value found at a path, as the comparison needs it. */
interface Found {
  /** Of a text or of yes/no; NULL for anything else. */
  text: RawBuilder<unknown>
  number: RawBuilder<unknown>
  set: RawBuilder<unknown>
}

function valuesAt(path: string, engine: Engine): { from: RawBuilder<unknown>; found: Found } {
  if (/["\\]/.test(path))
    throw userError('E_RULE_PROPERTY', `A property path holds no quotes or backslashes: ${path}`)
  return engine === 'postgres' ? valuesOnPostgres(path.split('.')) : valuesOnSqlite(path.split('.'))
}

/** In its lax mode a path of PostgreSQL goes through lists by itself. */
function valuesOnPostgres(steps: readonly string[]) {
  const path = `lax $."properties"${steps.map((step) => `.${JSON.stringify(step)}`).join('')}[*]`
  const type = sql`jsonb_typeof(p.value)`
  return {
    from: sql`jsonb_path_query(e.body::jsonb, ${path}::jsonpath) as p(value)`,
    found: {
      text: sql`(case when ${type} in ('string', 'boolean') then p.value #>> '{}' end)`,
      number: sql`(case when ${type} = 'number' then (p.value #>> '{}')::double precision end)`,
      set: sql`${type} <> 'null'`,
    },
  }
}

/** Each step is a table of the values there: the elements of a list, or the value itself in a list of one. */
function valuesOnSqlite(steps: readonly string[]) {
  const tables = steps.map((step, index) => {
    const within =
      index === 0
        ? sql`e.body`
        : sql`case when ${sql.ref(`p${index - 1}.type`)} = 'object' then ${sql.ref(`p${index - 1}.value`)} end`
    const path = index === 0 ? `$.properties."${step}"` : `$."${step}"`
    return sql`json_each(case json_type(${within}, ${path}) when 'array' then (${within}) -> ${path} else '[' || ((${within}) -> ${path}) || ']' end) as ${sql.ref(`p${index}`)}`
  })
  const type = sql.ref(`p${steps.length - 1}.type`)
  const value = sql.ref(`p${steps.length - 1}.value`)
  return {
    from: sql.join(tables),
    found: {
      text: sql`(case ${type} when 'text' then ${value} when 'true' then 'true' when 'false' then 'false' end)`,
      number: sql`(case when ${type} in ('integer', 'real') then ${value} end)`,
      set: sql`${type} <> 'null'`,
    },
  }
}

function equals(
  { text, number }: Pick<Found, 'text' | 'number'>,
  values: (string | number)[],
  vault: Vault,
): RawBuilder<unknown> {
  const texts = values.map(String)
  const numbers = values
    .map(Number)
    .filter((value, index) => Number.isFinite(value) && String(value) === texts[index])
  const asText = sql`(${text} is not null and ${sameText(vault, text, texts)})`
  if (numbers.length === 0) return asText
  return sql`(${asText} or (${number} is not null and ${number} in (${sql.join(numbers.map((value) => sql.lit(value)))})))`
}

function listOf({ property, value }: PropertyFilter): (string | number)[] {
  const list = (Array.isArray(value) ? value : [value]).map((entry: RuleValue | undefined) =>
    typeof entry === 'boolean' ? String(entry) : entry,
  )
  if (list.length === 0 || list.some((entry) => typeof entry !== 'string' && typeof entry !== 'number')) {
    throw userError('E_RULE_VALUE', `The condition on "${property}" needs a value`, {
      details: { name: property },
    })
  }
  return list as (string | number)[]
}
