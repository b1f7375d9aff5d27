import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Condition } from './conditions.ts'
import { compareProperty, type EventScope } from './event-properties.ts'
import type { EventNode } from './rule.ts'

/** `from … where …` over the events of one customer that a condition counts; `profiles` stands outside. */
export function matchingEventsOfOne(node: EventNode, scope: EventScope): RawBuilder<unknown> {
  // SQLite would rather go through all events of that name: the plus keeps it from using that index.
  const name = scope.engine === 'sqlite' ? sql`+t.name` : sql`t.name`
  return sql`${matchingEvents(node, scope, name)} and t.customer_id = profiles.customer_id`
}

/** `from … where …` over the events that a condition counts, whoever's they are. The timeline is `t`. */
export function matchingEvents(node: EventNode, scope: EventScope, name = sql`t.name`): RawBuilder<unknown> {
  const { days, today } = scope
  const window = node.within
    ? sql` and t.ts >= ${days.startOf(today - node.within.days + 1)} and t.ts < ${days.startOf(today + 1)}`
    : sql``
  const filters = node.where ?? []
  const source = filters.length > 0 ? sql`timeline t inner join events e on e.seq = t.seq` : sql`timeline t`
  const where = filters.map((filter) => sql` and ${compareProperty(filter, scope)}`)
  return sql`from ${source} where ${name} = ${node.event} and t.current = 1${window}${sql.join(where, sql``)}`
}

/** Whether a number of events satisfies the condition; customers without any count as 0. */
export function compareCount(count: RawBuilder<unknown>, { op, value }: EventNode['count']): Condition {
  return sql<SqlBool>`(${count} ${sql.raw(op)} ${sql.lit(value)})`
}
