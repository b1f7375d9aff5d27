import { type OperationNode, ReferenceNode } from 'kysely'
import { queryError, shown } from './query-limits.ts'
import type { Scope } from './query-scope.ts'
import { jsonStep } from './translate-engine.ts'
import { translateExpression } from './translate-expression.ts'
import type { Translation } from './translate-query.ts'
import type { Untrusted } from './tree-reader.ts'

/** `eb.ref(column, '->>').key(…).at(…)`: a path into a JSON column. */
export function jsonReference(translation: Translation, node: Untrusted, scope: Scope): OperationNode {
  const { reader } = translation
  const column = translateExpression(translation, node['reference'], scope)
  if (!ReferenceNode.is(column)) throw queryError('Only a column can be looked into')
  return reader.within(node['traversal'], (traversal, kind) => {
    const chain = kind === 'JSONOperatorChainNode'
    if (!chain && kind !== 'JSONPathNode') throw queryError(`Queries of plugins cannot use "${kind}"`)
    const operator = reader.within(chain ? traversal['operator'] : traversal['inOperator'], (found) =>
      reader.field(found, 'operator'),
    )
    const steps = reader
      .list(traversal, chain ? 'values' : 'pathLegs')
      .map((step) => reader.within(step, (found) => reader.field(found, 'value')))
    const asText = operator === '->>' || operator === '->>$'
    if (!asText && operator !== '->' && operator !== '->$')
      throw queryError(`Queries of plugins cannot use the operator ${shown(operator)}`)
    return jsonStep(translation.engine, { column, steps: steps.map((step) => reader.value(step)), asText })
  })
}
