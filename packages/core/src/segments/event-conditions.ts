import { userError } from '@huitou/plugin-api'
import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { BusinessDays } from '../days.ts'
import type { Engine } from '../db/database.ts'
import { type Condition, compareValue } from './conditions.ts'
import type { EventNode, PropertyFilter, RuleValue } from './rule.ts'

export interface EventScope {
  engine: Engine
  days: BusinessDays
  today: number
}

/** `from … where …` over the events that a condition counts, whoever's they are. The timeline is `t`. */
export function matchingEvents(node: EventNode, scope: EventScope): RawBuilder<unknown> {
  const { days, today } = scope
  const window = node.within
    ? sql` and t.ts >= ${days.startOf(today - node.within.days + 1)} and t.ts < ${days.startOf(today + 1)}`
    : sql``
  const filters = node.where ?? []
  const source = filters.length > 0 ? sql`timeline t inner join events e on e.seq = t.seq` : sql`timeline t`
  const where = filters.map((filter) => sql` and ${compareProperty(filter, scope)}`)
  return sql`from ${source} where t.name = ${node.event} and t.current = 1${window}${sql.join(where, sql``)}`
}

/** Whether a number of events satisfies the condition; customers without any count as 0. */
export function compareCount(count: RawBuilder<unknown>, { op, value }: EventNode['count']): Condition {
  return sql<SqlBool>`(${count} ${sql.raw(op)} ${sql.lit(value)})`
}

/**
 * Comparison of an event's property. Numbers compare as numbers, but only where the event holds a number; `is`
 * also finds the number 5 by the text "5". Never NULL.
 */
function compareProperty(filter: PropertyFilter, scope: EventScope): Condition {
  const property = propertyOf(filter.property, scope.engine)
  const operand = { name: filter.property, engine: scope.engine, days: scope.days, today: scope.today }
  const text = { ...operand, valueClass: 'text', value: property.text } as const
  const number = { ...operand, valueClass: 'number', value: property.number } as const
  switch (filter.op) {
    case 'is_set':
      return sql<SqlBool>`(${property.set})`
    case 'is_not_set':
      return sql<SqlBool>`(not (${property.set}))`
    case 'true':
    case 'false':
      return equals(property, [filter.op])
    case 'is':
    case 'in':
      return equals(property, listOf(filter))
    case 'is_not':
    case 'not_in':
      return sql<SqlBool>`(not ${equals(property, listOf(filter))})`
    case 'contains':
    case 'not_contains':
    case 'starts_with':
      return compareValue(text, filter.op, filter.value)
    default:
      return compareValue(number, filter.op, filter.value)
  }
}

interface Property {
  /** Text of a text or of yes/no; NULL for anything else. */
  text: RawBuilder<unknown>
  number: RawBuilder<unknown>
  set: RawBuilder<unknown>
}

/** Properties are found by their whole name: a dot in it is part of the name. */
function propertyOf(name: string, engine: Engine): Property {
  if (engine === 'postgres') {
    const value = sql`(e.body #> array['properties', ${name}]::text[])`
    const text = sql`(e.body #>> array['properties', ${name}]::text[])`
    return {
      text: sql`(case when json_typeof(${value}) in ('string', 'boolean') then ${text} end)`,
      number: sql`(case when json_typeof(${value}) = 'number' then ${text}::double precision end)`,
      set: sql`coalesce(json_typeof(${value}), 'null') <> 'null'`,
    }
  }
  // A quote cannot be escaped in a JSON path of SQLite, so such a name is looked for among the keys.
  const [type, value] = name.includes('"')
    ? [
        sql`coalesce((select p.type from json_each(e.body, '$.properties') p where p.key = ${name}), 'null')`,
        sql`(select p.atom from json_each(e.body, '$.properties') p where p.key = ${name})`,
      ]
    : [sql`coalesce(json_type(e.body, ${pathOf(name)}), 'null')`, sql`json_extract(e.body, ${pathOf(name)})`]
  return {
    text: sql`(case ${type} when 'text' then ${value} when 'true' then 'true' when 'false' then 'false' end)`,
    number: sql`(case when ${type} in ('integer', 'real') then ${value} end)`,
    set: sql`${type} <> 'null'`,
  }
}

function pathOf(name: string): string {
  return `$.properties."${name}"`
}

function equals({ text, number }: Property, values: (string | number)[]): Condition {
  const texts = values.map(String)
  const numbers = values
    .map(Number)
    .filter((value, index) => Number.isFinite(value) && String(value) === texts[index])
  const asText = sql`(${text} is not null and ${text} in (${sql.join(texts)}))`
  if (numbers.length === 0) return sql<SqlBool>`(${asText})`
  return sql<SqlBool>`(${asText} or (${number} is not null and ${number} in (${sql.join(numbers.map((value) => sql.lit(value)))})))`
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
