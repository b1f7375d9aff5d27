import type { Engine } from '../db/database.ts'

/** Operators between two values that mean the same on both databases and can fail on no row. */
export const BINARY_OPERATORS: ReadonlySet<string> = new Set([
  '=',
  '==',
  '!=',
  '<>',
  '>',
  '>=',
  '<',
  '<=',
  'in',
  'not in',
  'is',
  'is not',
  'is distinct from',
  'is not distinct from',
  'like',
  'not like',
  'ilike',
  'not ilike',
  'between',
  '+',
  '-',
  '*',
  '/',
  '%',
])

export const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%'])

export const UNARY_OPERATORS: ReadonlySet<string> = new Set(['not', 'exists', 'not exists', '-'])

export const JOINS: ReadonlySet<string> = new Set([
  'InnerJoin',
  'LeftJoin',
  'RightJoin',
  'FullJoin',
  'CrossJoin',
])

export const SET_OPERATORS: ReadonlySet<string> = new Set(['union', 'intersect', 'except'])

interface FunctionShape {
  least: number
  most: number
  /** Arguments from this one on must stand in the query as whole numbers from zero up. */
  literalFrom?: number
}

/**
 * Functions by name. None of them makes text longer than it was, reads a clock, a file or another row, or fails on
 * a value, so that an error never tells of one.
 */
export const FUNCTIONS: Readonly<Record<string, FunctionShape>> = {
  abs: { least: 1, most: 1 },
  ceil: { least: 1, most: 1 },
  coalesce: { least: 1, most: 20 },
  floor: { least: 1, most: 1 },
  length: { least: 1, most: 1 },
  lower: { least: 1, most: 1 },
  ltrim: { least: 1, most: 1 },
  nullif: { least: 2, most: 2 },
  round: { least: 1, most: 1 },
  rtrim: { least: 1, most: 1 },
  substr: { least: 2, most: 3, literalFrom: 1 },
  trim: { least: 1, most: 1 },
  upper: { least: 1, most: 1 },
}

interface AggregateShape {
  least: number
  most: number
  /** Only with `over(…)`. */
  window?: true
  literalFrom?: number
}

export const AGGREGATES: Readonly<Record<string, AggregateShape>> = {
  avg: { least: 1, most: 1 },
  count: { least: 1, most: 1 },
  dense_rank: { least: 0, most: 0, window: true },
  first_value: { least: 1, most: 1, window: true },
  lag: { least: 1, most: 2, window: true, literalFrom: 1 },
  last_value: { least: 1, most: 1, window: true },
  lead: { least: 1, most: 2, window: true, literalFrom: 1 },
  max: { least: 1, most: 1 },
  min: { least: 1, most: 1 },
  ntile: { least: 1, most: 1, window: true, literalFrom: 0 },
  percent_rank: { least: 0, most: 0, window: true },
  rank: { least: 0, most: 0, window: true },
  row_number: { least: 0, most: 0, window: true },
  sum: { least: 1, most: 1 },
}

/** Types that a value can be cast to, and what they are called where the query runs. */
export const CASTS: Readonly<Record<string, 'text' | 'integer' | 'real'>> = {
  text: 'text',
  varchar: 'text',
  integer: 'integer',
  bigint: 'integer',
  int4: 'integer',
  int8: 'integer',
  real: 'real',
  'double precision': 'real',
  float4: 'real',
  float8: 'real',
  decimal: 'real',
  numeric: 'real',
}

export const CAST_TYPES: Record<Engine, Record<'text' | 'integer' | 'real', string>> = {
  postgres: { text: 'text', integer: 'bigint', real: 'double precision' },
  sqlite: { text: 'text', integer: 'integer', real: 'real' },
}
