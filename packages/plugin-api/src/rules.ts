/** How a column is compared; the same words as in segments. */
export type ColumnOperator =
  | 'is'
  | 'is_not'
  | 'in'
  | 'not_in'
  | 'contains'
  | 'not_contains'
  | 'starts_with'
  | 'gt'
  | 'gte'
  | 'lt'
  | 'lte'
  | 'between'
  | 'is_set'
  | 'is_not_set'
  | 'within_days'
  | 'before_days'
  | 'on_or_after'
  | 'before'
  | 'true'
  | 'false'

export interface ColumnSentence {
  column: string
  op: ColumnOperator
  value?: string | number | boolean | (string | number)[]
}

/** A rule over profile columns, as the segment builder writes it. `all` of nothing is everybody. */
export type ColumnRule = { all: ColumnRule[] } | { any: ColumnRule[] } | { not: ColumnRule } | ColumnSentence

/** Every column that `rule` mentions, each once. */
export function ruleColumns(rule: ColumnRule): string[] {
  if ('column' in rule) return [rule.column]
  if ('not' in rule) return ruleColumns(rule.not)
  return [...new Set(('all' in rule ? rule.all : rule.any).flatMap(ruleColumns))]
}
