import { LimitNode, OffsetNode, type SelectQueryNode, ValueNode } from 'kysely'
import { queryError, ROW_LIMIT } from './query-limits.ts'
import type { TreeReader, Untrusted } from './tree-reader.ts'

/** `select distinct`, the only modifier that plugins can use. */
export function distinct(reader: TreeReader, node: Untrusted): Pick<SelectQueryNode, 'frontModifiers'> {
  const modifiers = reader.list(node, 'frontModifiers')
  if (modifiers.length === 0) return {}
  for (const untrusted of modifiers) {
    reader.within(untrusted, (modifier) => {
      reader.forbid(modifier, ['rawModifier', 'of'])
      if (reader.field(modifier, 'modifier') !== 'Distinct')
        throw queryError('Queries of plugins cannot use this modifier of select')
    })
  }
  return { frontModifiers: [{ kind: 'SelectModifierNode', modifier: 'Distinct' }] }
}

/** Of the whole query at most {@link ROW_LIMIT} rows; one more tells that there are more. */
export function limits(
  reader: TreeReader,
  node: Untrusted,
  root: boolean,
): Pick<SelectQueryNode, 'limit' | 'offset'> {
  const limit = countAt(reader, node, 'limit')
  const offset = countAt(reader, node, 'offset')
  if (root && limit !== undefined && limit > ROW_LIMIT)
    throw queryError(
      `A query answers ${ROW_LIMIT} rows at most, not ${limit}`,
      'Page by a key, or aggregate.',
    )
  const most = limit ?? (root ? ROW_LIMIT + 1 : offset === undefined ? undefined : Number.MAX_SAFE_INTEGER)
  return {
    ...(most === undefined ? {} : { limit: LimitNode.create(ValueNode.createImmediate(most)) }),
    ...(offset === undefined ? {} : { offset: OffsetNode.create(ValueNode.createImmediate(offset)) }),
  }
}

function countAt(reader: TreeReader, node: Untrusted, name: 'limit' | 'offset'): number | undefined {
  const given = reader.field(node, name)
  if (given === undefined) return undefined
  const count = reader.within(given, (inner) =>
    reader.within(inner[name], (value, kind) =>
      kind === 'ValueNode' ? reader.value(value['value']) : undefined,
    ),
  )
  if (Number.isInteger(count) && (count as number) >= 0) return count as number
  throw queryError(`"${name}" takes a whole number`)
}
