import {
  type ColumnBatch,
  type ColumnVector,
  type JsonSchema,
  toNumberVector,
  userError,
} from '@huitou/plugin-api'
import type { Points } from '../points/points.ts'
import { columnName } from '../profiles/definitions.ts'
import type { Scoring } from './scorings.ts'

/** Customers that a condition is asked about at once: it has as long for them as for those at a branch. */
const BATCH = 20_000

type Entry = ReturnType<Points['conditions']['list']>[number]

/**
 * Conditions of plugins as columns: what a condition says of each customer is kept, so that rules of segments can ask
 * for it, explain it and follow it like any other column. A condition is asked with the defaults of its options; one
 * with options that have none can be used in branches only, where a person sets them.
 */
export function conditionColumns(
  points: Pick<Points, 'conditions'>,
  readerOf: (owner: Entry['owner']) => Scoring['reader'],
): Scoring[] {
  return points.conditions.list().flatMap(({ id, owner, value }): Scoring[] => {
    const options = defaultsOf(value.options)
    if (!options) return []
    const name = columnName(owner.prefix, `is_${value.id}`)
    return [
      {
        id,
        owner: owner.plugin,
        reader: readerOf(owner),
        title: owner.text(value.title),
        inputs: value.inputs,
        outputs: [
          {
            name,
            logical: name,
            kind: 'score',
            owner: owner.plugin,
            type: 'boolean',
            title: owner.text(value.title),
            description: value.description ? owner.text(value.description) : null,
            unit: null,
            options: null,
            pii: false,
          },
        ],
        schedule: undefined,
        fit: undefined,
        async run(batch, context) {
          const answers = new Float64Array(batch.ids.length)
          for (let from = 0; from < answers.length; from += BATCH) {
            const part = partOf(batch, from, from + BATCH)
            const rows = part.ids.length
            const answer = await value.run({ ...part, options }, context)
            if (!(answer instanceof Uint8Array) || answer.length !== rows)
              throw userError(
                'E_CONDITION_ANSWER',
                `Condition "${id}" did not answer for each of ${rows} customers`,
              )
            answer.forEach((one, row) => (answers[from + row] = one === 1 ? 1 : 0))
          }
          return [toNumberVector([...answers])]
        },
      },
    ]
  })
}

/** What the options are when nobody sets them; undefined when one that is needed has no default. */
function defaultsOf(schema: JsonSchema | undefined): Record<string, unknown> | undefined {
  const properties = (schema?.['properties'] ?? {}) as Record<string, { default?: unknown }>
  const defaults = Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) =>
      property.default === undefined ? [] : [[name, property.default]],
    ),
  )
  const needed = (schema?.['required'] ?? []) as string[]
  return needed.every((name) => name in defaults) ? defaults : undefined
}

function partOf({ ids, columns }: ColumnBatch, from: number, to: number): ColumnBatch {
  const cut = (vector: ColumnVector): ColumnVector =>
    vector.kind === 'number'
      ? { ...vector, values: vector.values.slice(from, to) }
      : { ...vector, indexes: vector.indexes.slice(from, to) }
  return {
    ids: ids.slice(from, to),
    columns: Object.fromEntries(Object.entries(columns).map(([name, vector]) => [name, cut(vector)])),
  }
}
