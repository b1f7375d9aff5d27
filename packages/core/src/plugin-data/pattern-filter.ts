import { type RawBuilder, type SqlBool, sql } from 'kysely'

/** Whether the text fits one of the patterns, in which `*` stands for any run of characters; in SQL of both engines. */
export function patternFilter(text: RawBuilder<unknown>, patterns: readonly string[]): RawBuilder<SqlBool> {
  if (patterns.includes('*')) return sql<SqlBool>`1 = 1`
  if (patterns.length === 0) return sql<SqlBool>`1 = 0`
  const plain = patterns.filter((pattern) => !pattern.includes('*'))
  const filters = patterns.filter((pattern) => pattern.includes('*')).map((pattern) => fits(text, pattern))
  if (plain.length > 0) filters.unshift(sql<SqlBool>`${text} in (${sql.join(plain)})`)
  return sql<SqlBool>`(${sql.join(filters, sql` or `)})`
}

function fits(text: RawBuilder<unknown>, pattern: string): RawBuilder<SqlBool> {
  const like = pattern.replaceAll(/[\\%_]/g, String.raw`\$&`).replaceAll('*', '%')
  return sql<SqlBool>`${text} like ${like} escape '\\'`
}
