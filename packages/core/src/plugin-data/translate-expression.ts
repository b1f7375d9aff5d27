import {
  AggregateFunctionNode,
  AndNode,
  BinaryOperationNode,
  CaseNode,
  ColumnNode,
  FunctionNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  ReferenceNode,
  SelectAllNode,
  TableNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
  WhenNode,
} from 'kysely'
import { queryError, shown } from './query-limits.ts'
import type { Scope } from './query-scope.ts'
import { AGGREGATES, ARITHMETIC, BINARY_OPERATORS, FUNCTIONS, UNARY_OPERATORS } from './query-vocabulary.ts'
import { castTo, likeText } from './translate-engine.ts'
import type { Translation } from './translate-query.ts'
import type { Untrusted } from './tree-reader.ts'
import { jsonReference } from './translate-json.ts'
import { orderItems } from './translate-order.ts'

type Translate = (translation: Translation, node: Untrusted, scope: Scope) => OperationNode

/** Everything an expression can be made of; what is not listed is refused. */
const EXPRESSIONS: Readonly<Record<string, Translate>> = {
  ReferenceNode: reference,
  ColumnNode: (translation, node, scope) =>
    unqualified(translation, translation.reader.name(identifier(node['column'])), scope),
  ValueNode: value,
  ValueListNode: list,
  PrimitiveValueListNode: primitives,
  ParensNode: (translation, node, scope) =>
    ParensNode.create(translateExpression(translation, node['node'], scope)),
  AndNode: (translation, node, scope) =>
    AndNode.create(
      translateExpression(translation, node['left'], scope),
      translateExpression(translation, node['right'], scope),
    ),
  OrNode: (translation, node, scope) =>
    OrNode.create(
      translateExpression(translation, node['left'], scope),
      translateExpression(translation, node['right'], scope),
    ),
  BinaryOperationNode: binary,
  UnaryOperationNode: unary,
  FunctionNode: call,
  AggregateFunctionNode: aggregate,
  CaseNode: choice,
  CastNode: (translation, node, scope) =>
    castTo(
      translation.engine,
      translateExpression(translation, node['expression'], scope),
      typeName(translation, node),
    ),
  JSONReferenceNode: (translation, node, scope) =>
    translation.sealed.note(jsonReference(translation, node, scope), 'some', 'properties'),
  RawNode: constant,
  SelectQueryNode: (translation, node, scope) => translation.select(node, scope).node,
}

/** One expression of a plugin's query, made anew from parts that are known. */
export function translateExpression(
  translation: Translation,
  untrusted: unknown,
  scope: Scope,
): OperationNode {
  return translation.reader.within(untrusted, (node, kind) => {
    const translate = Object.hasOwn(EXPRESSIONS, kind) ? EXPRESSIONS[kind] : undefined
    if (!translate) {
      throw queryError(
        `Queries of plugins cannot use "${kind}"`,
        kind === 'RawNode' ? 'SQL text does not leave a plugin: write it with the query builder.' : undefined,
      )
    }
    return translate(translation, node, scope)
  })
}

/** What stands for a column in the database; its table is always named. */
export function columnReference(alias: string, column: string): OperationNode {
  return ReferenceNode.create(ColumnNode.create(column), TableNode.create(alias))
}

/** The name in a node such as `IdentifierNode`, not yet checked. */
export function identifier(node: unknown): unknown {
  if (typeof node !== 'object' || node === null || !Object.hasOwn(node, 'name')) return undefined
  return (node as { name: unknown }).name
}

function reference({ reader, sealed }: Translation, node: Untrusted, scope: Scope): OperationNode {
  const table = tableName(reader.field(node, 'table'))
  return reader.within(node['column'], (column, kind) => {
    if (kind !== 'ColumnNode') throw queryError('`*` can only be selected')
    const name = reader.name(identifier(column['column']))
    const of = table === undefined ? undefined : reader.name(table)
    return sealed.note(columnReference(scope.resolve(name, of), name), scope.sealedOf(name, of), name)
  })
}

function unqualified({ sealed }: Translation, name: string, scope: Scope): OperationNode {
  return sealed.note(columnReference(scope.resolve(name), name), scope.sealedOf(name), name)
}

/** What a `TableNode` calls its table: `schema.name` when there is a schema; not yet checked. */
export function tableName(table: unknown): unknown {
  if (typeof table !== 'object' || table === null) return undefined
  const { table: schemable } = table as { table?: { schema?: unknown; identifier?: unknown } }
  const name = identifier(schemable?.identifier)
  if (schemable?.schema === undefined) return name
  const schema = identifier(schemable.schema)
  return typeof schema === 'string' && typeof name === 'string' ? `${schema}.${name}` : undefined
}

function value({ reader }: Translation, node: Untrusted): OperationNode {
  const given = reader.field(node, 'value')
  if (reader.field(node, 'immediate') !== true) return constantNode(reader.value(given), false)
  return typeof given === 'boolean'
    ? ValueNode.createImmediate(given)
    : constantNode(reader.value(given), true)
}

/** Numbers stand in the SQL, where both databases know their type; a sign could meet another, so it is put in parentheses. */
function constantNode(given: string | number | null, immediate: boolean): OperationNode {
  if (typeof given === 'string') return immediate ? ValueNode.createImmediate(given) : ValueNode.create(given)
  const node = ValueNode.createImmediate(given)
  return given !== null && (given < 0 || Object.is(given, -0)) ? ParensNode.create(node) : node
}

function list(translation: Translation, node: Untrusted, scope: Scope): OperationNode {
  const values = translation.reader.list(node, 'values')
  return ValueListNode.create(values.map((item) => translateExpression(translation, item, scope)))
}

function primitives({ reader }: Translation, node: Untrusted): OperationNode {
  return ValueListNode.create(
    reader.list(node, 'values').map((item) => constantNode(reader.value(item), false)),
  )
}

function operatorOf({ reader }: Translation, node: Untrusted): unknown {
  return reader.within(node['operator'], (operator, kind) =>
    kind === 'OperatorNode' ? reader.field(operator, 'operator') : undefined,
  )
}

function binary(translation: Translation, node: Untrusted, scope: Scope): OperationNode {
  const given = operatorOf(translation, node)
  if (typeof given !== 'string' || !BINARY_OPERATORS.has(given))
    throw queryError(`Queries of plugins cannot use the operator ${shown(given)}`)
  const left = translateExpression(translation, node['leftOperand'], scope)
  const right = translateExpression(translation, node['rightOperand'], scope)
  if (ARITHMETIC.has(given)) translation.computes = true
  const whole = translation.sealed.compare(left, given, right)
  if (whole) return whole
  switch (given) {
    case '/':
    case '%':
      // By zero there is no result: an error would tell of a row that is left out further on.
      return operation(left, given, FunctionNode.create('nullif', [right, ValueNode.createImmediate(0)]))
    case 'in':
    case 'not in':
      if (ValueListNode.is(right) && right.values.length === 0)
        return ValueNode.createImmediate(given === 'not in')
      return operation(left, given, right)
    case 'is':
    case 'is not': {
      const plain = ValueNode.is(right) && (right.value === null || typeof right.value === 'boolean')
      return operation(
        left,
        plain ? given : given === 'is' ? 'is not distinct from' : 'is distinct from',
        right,
      )
    }
    case 'like':
    case 'not like':
    case 'ilike':
    case 'not ilike':
      return likeText(translation.engine, { left, operator: given, right })
    default:
      return operation(left, given === '==' ? '=' : given, right)
  }
}

function operation(left: OperationNode, operator: string, right: OperationNode): OperationNode {
  return BinaryOperationNode.create(left, OperatorNode.create(operator as '='), right)
}

function unary(translation: Translation, node: Untrusted, scope: Scope): OperationNode {
  const operator = operatorOf(translation, node)
  if (typeof operator !== 'string' || !UNARY_OPERATORS.has(operator))
    throw queryError(`Queries of plugins cannot use the operator ${shown(operator)}`)
  const operand = translateExpression(translation, node['operand'], scope)
  return UnaryOperationNode.create(
    OperatorNode.create(operator as 'not'),
    operator === '-' ? ParensNode.create(operand) : operand,
  )
}

function call(translation: Translation, node: Untrusted, scope: Scope): OperationNode {
  const { reader } = translation
  const { name, shape } = known(FUNCTIONS, reader.field(node, 'func'))
  const given = checkArguments(translation, { name, ...shape }, reader.list(node, 'arguments'))
  return FunctionNode.create(
    name,
    given.map((argument) => translateExpression(translation, argument, scope)),
  )
}

function aggregate(translation: Translation, node: Untrusted, scope: Scope): OperationNode {
  const { reader } = translation
  reader.forbid(node, ['orderBy', 'withinGroup'])
  const { name, shape } = known(AGGREGATES, reader.field(node, 'func'))
  const over = reader.field(node, 'over')
  if (shape.window && over === undefined) throw queryError(`"${name}" needs over(…)`)
  const given = checkArguments(translation, { name, ...shape }, reader.list(node, 'aggregated'))
  const filter = reader.field(node, 'filter')
  const everything = name === 'count' && isSelectAll(given[0])
  let result = AggregateFunctionNode.create(
    name,
    everything
      ? [SelectAllNode.create()]
      : given.map((argument) => translateExpression(translation, argument, scope)),
  )
  // How many there are the database can say of sealed values too, though not how many different ones.
  if (name === 'count' && reader.field(node, 'distinct') !== true)
    result.aggregated.forEach((each) => translation.sealed.settle(each))
  if (reader.field(node, 'distinct') === true && !everything)
    result = AggregateFunctionNode.cloneWithDistinct(result)
  if (filter !== undefined) {
    const condition = reader.within(filter, (where) =>
      translateExpression(translation, where['where'], scope),
    )
    result = AggregateFunctionNode.cloneWithFilter(result, condition)
  }
  return over === undefined
    ? result
    : AggregateFunctionNode.cloneWithOver(result, window(translation, over, scope))
}

function window(translation: Translation, untrusted: unknown, scope: Scope) {
  const { reader } = translation
  return reader.within(untrusted, (over) => {
    const partition = reader.field(over, 'partitionBy')
    const order = reader.field(over, 'orderBy')
    const items =
      partition === undefined
        ? []
        : reader.within(partition, (by) =>
            reader
              .list(by, 'items')
              .map((item) =>
                reader.within(item, ({ partitionBy }) =>
                  translateExpression(translation, partitionBy, scope),
                ),
              ),
          )
    return {
      kind: 'OverNode' as const,
      ...(items.length > 0
        ? {
            partitionBy: {
              kind: 'PartitionByNode' as const,
              items: items.map((by) => ({
                kind: 'PartitionByItemNode' as const,
                partitionBy: by as ReferenceNode,
              })),
            },
          }
        : {}),
      ...(order === undefined
        ? {}
        : { orderBy: { kind: 'OrderByNode' as const, items: orderItems(translation, order, { scope }) } }),
    }
  })
}

function choice(translation: Translation, node: Untrusted, scope: Scope): OperationNode {
  const { reader } = translation
  reader.forbid(node, ['isStatement'])
  const part = (name: string) => {
    const given = reader.field(node, name)
    return given === undefined ? {} : { [name]: translateExpression(translation, given, scope) }
  }
  const when = reader
    .list(node, 'when')
    .map((branch) =>
      reader.within(branch, ({ condition, result }) =>
        WhenNode.cloneWithResult(
          WhenNode.create(translateExpression(translation, condition, scope)),
          translateExpression(translation, result, scope),
        ),
      ),
    )
  if (when.length === 0) throw queryError('A case needs a when')
  return { ...CaseNode.create(), ...part('value'), when, ...part('else') } as CaseNode
}

/** Of raw SQL only what Kysely itself writes for `onTrue()`. */
function constant({ reader }: Translation, node: Untrusted): OperationNode {
  if (rawText(reader.list(node, 'sqlFragments'), reader.list(node, 'parameters')) === 'true')
    return ValueNode.createImmediate(true)
  throw queryError(
    'Queries of plugins cannot use "RawNode"',
    'SQL text does not leave a plugin: write it with the query builder.',
  )
}

/** The text of a raw node that holds nothing else. */
export function rawText(fragments: readonly unknown[], parameters: readonly unknown[]): unknown {
  return fragments.length === 1 && parameters.length === 0 ? fragments[0] : undefined
}

function known<Shape>(
  shapes: Readonly<Record<string, Shape>>,
  name: unknown,
): { name: string; shape: Shape } {
  const found = typeof name === 'string' && Object.hasOwn(shapes, name) ? shapes[name] : undefined
  if (found !== undefined) return { name: name as string, shape: found }
  throw queryError(
    `Queries of plugins cannot use the function ${shown(name)}`,
    `They can use ${Object.keys(shapes).join(', ')}.`,
  )
}

function checkArguments(
  { reader }: Translation,
  {
    name,
    least,
    most,
    literalFrom = most,
  }: { name: string; least: number; most: number; literalFrom?: number },
  given: readonly unknown[],
): readonly unknown[] {
  if (given.length < least || given.length > most)
    throw queryError(`"${name}" takes from ${least} to ${most} arguments, not ${given.length}`)
  for (const argument of given.slice(literalFrom)) {
    const literal = reader.within(argument, (node, kind) =>
      kind === 'ValueNode' ? reader.value(node['value']) : null,
    )
    if (!Number.isInteger(literal) || (literal as number) < 0)
      throw queryError(`"${name}" takes a whole number there, as it stands`)
  }
  return given
}

/** `*` as Kysely writes it in `count(*)`; of one table it means something else on each database. */
function isSelectAll(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false
  const { kind, selection } = node as { kind?: unknown; selection?: { kind?: unknown } | null }
  return kind === 'SelectAllNode' || (kind === 'SelectionNode' && selection?.kind === 'SelectAllNode')
}

function typeName({ reader }: Translation, node: Untrusted): unknown {
  return reader.within(node['dataType'], (type, kind) =>
    kind === 'DataTypeNode' ? reader.field(type, 'dataType') : undefined,
  )
}
