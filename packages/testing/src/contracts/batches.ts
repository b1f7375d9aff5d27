import { columnPrefix, toNumberVector, toTextVector } from '@huitou/plugin-api'
import type { ColumnBatch } from '@huitou/plugin-api'
import { ownColumnTypes } from './contract.ts'
import type { Subject } from './contract.ts'

const DAY = 86_400_000

/** A batch of `rows` customers with every kind of value, missing ones among them. A new one each time: batches move. */
export function batchOf(
  { plugin, samples }: Pick<Subject<unknown>, 'plugin' | 'samples'>,
  inputs: readonly string[],
  rows: number,
): ColumnBatch {
  const { manifest, now } = plugin
  const prefix = columnPrefix(manifest)
  const types = ownColumnTypes(manifest.contributes, prefix)
  const columns = inputs.map((input) => {
    const type = types.get(input) ?? types.get(`${prefix}_${input}`) ?? guessType(input)
    const values = samples.columns?.[input] ?? valuesOf(type, now)
    // Each column starts elsewhere, so that rows differ in more than one way.
    const shift = inputs.indexOf(input)
    const picked = Array.from(
      { length: rows },
      (_, row) => values[(row + shift * Math.floor(row / 5)) % values.length],
    )
    const text = values.some((value) => typeof value === 'string')
    return [input, text ? toTextVector(picked as string[]) : toNumberVector(picked as number[])]
  })
  return {
    ids: Float64Array.from({ length: rows }, (_, row) => row + 1),
    columns: Object.fromEntries(columns) as ColumnBatch['columns'],
  }
}

/** A batch in which nobody has a value. */
export function emptyValues(inputs: readonly string[], rows: number): ColumnBatch {
  const nothing = () => toNumberVector(Array.from({ length: rows }, () => null))
  return {
    ids: Float64Array.from({ length: rows }, (_, row) => row + 1),
    columns: Object.fromEntries(inputs.map((input) => [input, nothing()])),
  }
}

function guessType(column: string): string {
  if (column.endsWith('_at')) return 'time'
  return column.startsWith('t_') ? 'text' : 'number'
}

function valuesOf(type: string, now: number): (number | string | null)[] {
  switch (type) {
    case 'text':
    case 'label':
      return [null, 'a', '回头客', '', 'a']
    case 'time':
      return [null, now, now - DAY, now - 400 * DAY, 0]
    case 'boolean':
      return [null, 0, 1]
    case 'integer':
    case 'money':
      return [null, 0, 1, 7, 250_000]
    default:
      return [null, 0, 0.5, 3, 1e6, -2]
  }
}
