import type { EventTypeContribution } from '@huitou/plugin-api'
import { type RawBuilder, sql } from 'kysely'
import type { Engine } from '../db/database.ts'
import type { Reader } from '../points/grants.ts'
import { hiddenEverywhere, hiddenIn } from '../points/personal-properties.ts'
import { patternFilter } from './pattern-filter.ts'
import type { PublishedView } from './views.ts'

/** Events as they stand on customers' timelines, of the types that the reader was granted. */
export function timelineView(
  reader: Reader,
  engine: Engine,
  eventTypes: readonly EventTypeContribution[],
): PublishedView {
  const names = reader.permissions['events.read'] ?? []
  return {
    name: 'timeline',
    description: 'Events on the timelines of customers, without versions that newer ones took the place of.',
    columns: [
      { name: 'seq', description: 'Number of the event in the log.', expression: sql`t.seq`, present: true },
      {
        name: 'customer_id',
        description: 'Number of the customer.',
        expression: sql`t.customer_id`,
        present: true,
      },
      { name: 'name', description: 'Canonical name: `order.paid`.', expression: sql`t.name`, present: true },
      {
        name: 'ts',
        description: 'When it happened, epoch milliseconds.',
        expression: sql`t.ts`,
        present: true,
      },
      {
        name: 'value',
        description: 'Its number; minor units for money.',
        expression: sql`t.value`,
      },
      {
        name: 'properties',
        description: 'JSON of its properties, without personal data that is not granted.',
        expression: visibleProperties(reader, engine, eventTypes),
      },
    ],
    needs: { permission: 'events.read', name: names[0] ?? '*' },
    filtered: !names.includes('*'),
    source(used) {
      const log = used.has('properties') ? sql` inner join events e on e.seq = t.seq` : sql``
      return sql`from timeline t${log} where t.current = 1 and ${patternFilter(sql`t.name`, names)}`
    },
  }
}

/** Properties of the event `e` on the timeline `t`, with everything taken out that the reader may not see. */
export function visibleProperties(
  reader: Reader,
  engine: Engine,
  eventTypes: readonly EventTypeContribution[],
): RawBuilder<unknown> {
  const everywhere = hiddenEverywhere(reader)
  const cases = eventTypes.flatMap((type) => {
    const paths = hiddenIn(reader, type)
    if (paths.length === 0) return []
    return [sql`when t.name = ${type.name} then ${without(engine, [...everywhere, ...paths])}`]
  })
  const others = without(engine, everywhere)
  return cases.length === 0 ? others : sql`case ${sql.join(cases, sql` `)} else ${others} end`
}

function without(engine: Engine, paths: readonly string[]): RawBuilder<unknown> {
  const properties =
    engine === 'postgres' ? sql`(e.body::jsonb -> 'properties')` : sql`(e.body -> '$.properties')`
  if (paths.length === 0) return properties
  const steps = paths.map((path) => removedAt(engine, properties, path.split('.')))
  return engine === 'postgres'
    ? steps.reduce<RawBuilder<unknown>>((json, step) => sql`${json} #- ${step}`, properties)
    : sql`json_remove(${properties}, ${sql.join(steps)})`
}

/** The path to take out: of a list on the way all of it, since no path leads to each of its elements. */
function removedAt(engine: Engine, properties: RawBuilder<unknown>, path: string[]): RawBuilder<unknown> {
  const whole = pathLiteral(engine, path)
  const lists = path.slice(0, -1).map((_, index) => {
    const list = pathLiteral(engine, path.slice(0, index + 1))
    const type =
      engine === 'postgres'
        ? sql`jsonb_typeof(${properties} #> ${list})`
        : sql`json_type(${properties}, ${list})`
    return sql`when ${type} = 'array' then ${list}`
  })
  return lists.length === 0 ? whole : sql`case ${sql.join(lists, sql` `)} else ${whole} end`
}

function pathLiteral(engine: Engine, path: readonly string[]): RawBuilder<unknown> {
  const names = path.map((step) => `"${step.replaceAll(/["\\]/g, '')}"`)
  return engine === 'postgres'
    ? sql`${sql.lit(`{${names.join(',')}}`)}::text[]`
    : sql`${sql.lit(`$${names.map((name) => `.${name}`).join('')}`)}`
}
