/**
 * What a profile column holds. `money` is integer minor units of the brand's currency, `time` is UTC epoch
 * milliseconds, `label` is one of a closed set of ids.
 */
export type ColumnType = 'text' | 'number' | 'integer' | 'money' | 'time' | 'boolean' | 'label'

/** Numbers travel as typed arrays; `NaN` stands for "no value". */
export interface NumberVector {
  readonly kind: 'number'
  readonly values: Float64Array
}

/** Text travels once per distinct value; index −1 stands for "no value". */
export interface TextVector {
  readonly kind: 'text'
  readonly dictionary: readonly string[]
  readonly indexes: Int32Array
}

export type ColumnVector = NumberVector | TextVector

/** Rows of customers, column by column: cheap to move between threads and processes. */
export interface ColumnBatch {
  /** Customer ids, one a row, ascending. */
  readonly ids: Float64Array
  readonly columns: Readonly<Record<string, ColumnVector>>
}

/** Reads row `row` of a vector; `undefined` when it holds no value. */
export function valueAt(vector: ColumnVector, row: number): number | string | undefined {
  if (vector.kind === 'number') {
    const value = vector.values[row]
    return value === undefined || Number.isNaN(value) ? undefined : value
  }
  const index = vector.indexes[row] ?? -1
  return index < 0 ? undefined : vector.dictionary[index]
}

/** Builds a number vector; `null` and `undefined` become "no value". */
export function toNumberVector(values: ArrayLike<number | null | undefined>): NumberVector {
  const out = new Float64Array(values.length)
  for (let row = 0; row < values.length; row++) out[row] = values[row] ?? Number.NaN
  return { kind: 'number', values: out }
}

/** Builds a text vector; `null` and `undefined` become "no value". */
export function toTextVector(values: ArrayLike<string | null | undefined>): TextVector {
  const dictionary: string[] = []
  const known = new Map<string, number>()
  const indexes = new Int32Array(values.length)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value == null) {
      indexes[row] = -1
      continue
    }
    let index = known.get(value)
    if (index === undefined) {
      index = dictionary.push(value) - 1
      known.set(value, index)
    }
    indexes[row] = index
  }
  return { kind: 'text', dictionary, indexes }
}
