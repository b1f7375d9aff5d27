import { ColumnNode, type OperationNode, OrderByItemNode, RawNode, ReferenceNode } from 'kysely'
import { queryError } from './query-limits.ts'
import type { Scope } from './query-scope.ts'
import { identifier, rawText, tableName, translateExpression } from './translate-expression.ts'
import type { Translation } from './translate-query.ts'
import { type Sealed, sealedError } from './translate-sealed.ts'
import type { TreeReader, Untrusted } from './tree-reader.ts'

export interface Names {
  scope: Scope
  /** What the query selects, by name. */
  outputs?: ReadonlySet<string>
  /** Of those, which hold what is sealed in the database. */
  sealed?: ReadonlyMap<string, Sealed>
  /** A union is ordered by what it selects and nothing else. */
  onlyOutputs?: boolean
  /** A row of one table may lack its row of another. */
  outer?: boolean
}

/** Items of an `order by`. Missing values come first, and last when descending, on both databases. */
export function orderItems(translation: Translation, untrusted: unknown, names: Names): OrderByItemNode[] {
  const { reader } = translation
  return reader.within(untrusted, (order) =>
    reader.list(order, 'items').map((item) =>
      reader.within(item, (node) => {
        reader.forbid(node, ['collation'])
        const descending = direction(reader, node) === 'desc'
        const given = reader.field(node, 'nulls')
        if (given !== undefined && given !== 'first' && given !== 'last')
          throw queryError('Nulls come first or last')
        const ordered = orderedBy(translation, node['orderBy'], names)
        const item = OrderByItemNode.create(ordered, RawNode.createWithSql(descending ? 'desc' : 'asc'))
        // To PostgreSQL the place of nulls is part of the order, and an index that has another is of no use to it.
        if (given === undefined && isPresent(node['orderBy'], names)) return item
        return { ...item, nulls: given ?? (descending ? ('last' as const) : ('first' as const)) }
      }),
    ),
  )
}

function orderedBy(
  translation: Translation,
  untrusted: unknown,
  { scope, outputs, sealed, onlyOutputs }: Names,
): OperationNode {
  const output = outputName(untrusted, outputs)
  if (output !== undefined && sealed?.get(output) === 'all') throw sealedError(output)
  if (output !== undefined) return ReferenceNode.create(ColumnNode.create(output))
  if (onlyOutputs) throw queryError('A union can only be ordered by a column that it selects')
  return translateExpression(translation, untrusted, scope)
}

/** Whether the expression is a column that every row has. */
function isPresent(untrusted: unknown, { scope, outer }: Names): boolean {
  const { kind, column, table } = (untrusted ?? {}) as { kind?: unknown; column?: unknown; table?: unknown }
  if (kind !== 'ReferenceNode' || outer) return false
  const name = identifier((column as { column?: unknown } | undefined)?.column)
  const of = table === undefined ? undefined : tableName(table)
  if (typeof name !== 'string' || (of !== undefined && typeof of !== 'string')) return false
  return scope.isPresent(name, of)
}

/** The selected column that the expression is the bare name of. */
export function outputName(untrusted: unknown, outputs: ReadonlySet<string> | undefined): string | undefined {
  if (typeof untrusted !== 'object' || untrusted === null) return undefined
  const { kind, column, table } = untrusted as { kind?: unknown; column?: unknown; table?: unknown }
  if (table !== undefined) return undefined
  const inner = kind === 'ReferenceNode' ? (column as { column?: unknown } | undefined)?.column : column
  const name = kind === 'ReferenceNode' || kind === 'ColumnNode' ? identifier(inner) : undefined
  return typeof name === 'string' && outputs?.has(name) ? name : undefined
}

function direction(reader: TreeReader, node: Untrusted): 'asc' | 'desc' {
  const given = reader.field(node, 'direction')
  if (given === undefined) return 'asc'
  return reader.within(given, (raw, kind) => {
    const text =
      kind === 'RawNode'
        ? rawText(reader.list(raw, 'sqlFragments'), reader.list(raw, 'parameters'))
        : undefined
    if (text === 'asc' || text === 'desc') return text
    throw queryError('An order is "asc" or "desc"')
  })
}
