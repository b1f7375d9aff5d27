import { permissionError } from '@huitou/plugin-api'
import {
  AliasNode,
  CommonTableExpressionNameNode,
  CommonTableExpressionNode,
  FromNode,
  IdentifierNode,
  JoinNode,
  type OperationNode,
  SelectionNode,
  type SelectQueryNode,
  type SetOperationNode,
  sql,
  TableNode,
  ValueNode,
  WithNode,
} from 'kysely'
import type { Engine } from '../db/database.ts'
import type { Vault } from '../people/vault.ts'
import { hasGrant, type Need, type Reader } from '../points/grants.ts'
import { queryError, shown } from './query-limits.ts'
import { Scope, type Source } from './query-scope.ts'
import { distinct, limits } from './translate-limits.ts'
import { JOINS, SET_OPERATORS } from './query-vocabulary.ts'
import { columnReference, identifier, tableName, translateExpression } from './translate-expression.ts'
import { type Names, orderItems, outputName } from './translate-order.ts'
import { TreeReader, type Untrusted } from './tree-reader.ts'
import { type Sealed, sealedError, SealedValues } from './translate-sealed.ts'
import type { PublishedView } from './views.ts'

export interface TranslationOptions {
  reader: Reader
  engine: Engine
  views: ReadonlyMap<string, PublishedView>
  vault: Vault
}

interface Selected {
  node: SelectQueryNode
  columns: string[]
  /** Those of the columns whose values are sealed in the database. */
  sealed: ReadonlyMap<string, Sealed>
}

/** A view in the query, filled in when it is known which columns are asked of it. */
interface Pending {
  view: PublishedView
  used: Set<string>
  place: { node?: OperationNode }
}

/**
 * Makes a query of our own out of the tree that a plugin sent. Nothing of the tree itself is compiled: every name is
 * looked up, and every view becomes a subquery that holds no other columns and rows than the plugin may read, so
 * that what was overlooked here would still not be there for the database. Throws `E_PERMISSION` or `E_QUERY`.
 */
export function translateQuery(tree: unknown, options: TranslationOptions): Selected & { needs: Need[] } {
  const translation = new Translation(options)
  const root = translation.reader.within(tree, (node, kind) => {
    if (kind !== 'SelectQueryNode')
      throw queryError('Plugins can only select', 'Data changes through events, tags and collections.')
    return translation.select(node, undefined, { root: true })
  })
  translation.sealed.check()
  return { ...root, needs: translation.fillViews() }
}

export class Translation {
  readonly reader = new TreeReader()
  readonly engine: Engine
  /** Whether the query works anything out that could fail on some values. */
  computes = false
  readonly sealed: SealedValues
  readonly #options: TranslationOptions
  readonly #pending: Pending[] = []
  #aliases = 0

  constructor(options: TranslationOptions) {
    this.#options = options
    this.engine = options.engine
    this.sealed = new SealedValues(options.vault)
  }

  /** A select with everything in it; `parent` is what it stands in. */
  select(node: Untrusted, parent?: Scope, { root = false, operand = false } = {}): Selected {
    const { reader } = this
    reader.forbid(node, ['distinctOn', 'endModifiers', 'explain', 'fetch', 'top'])
    if (operand) reader.forbid(node, ['orderBy', 'limit', 'offset', 'with', 'setOperations'])
    // Tables in `from`, queries of `with` and of a union see what surrounds the query, but not one another's columns.
    const around = new Scope(this.#options.reader.id, parent)
    const scope = new Scope(this.#options.reader.id, around)
    const common = this.#commonTables(node, around)
    const { froms, joins } = this.#sources(node, { scope, around })
    const { selections, columns, sealed } = this.#selections(node, scope)
    const outputs = new Set(columns)
    const united = this.#unions(node, around, columns.length)
    const names = { scope, outputs, sealed }
    return {
      columns,
      sealed,
      node: {
        kind: 'SelectQueryNode',
        ...(common.length > 0
          ? { with: { ...WithNode.create(common[0] as CommonTableExpressionNode), expressions: common } }
          : {}),
        ...distinct(reader, node),
        selections,
        ...(froms.length > 0 ? { from: FromNode.create(froms) } : {}),
        ...(joins.length > 0 ? { joins } : {}),
        ...this.#condition(node, 'where', { scope }),
        ...this.#grouping(node, names),
        ...this.#condition(node, 'having', { scope }),
        ...(united.length > 0 ? { setOperations: united } : {}),
        ...this.#order(node, {
          ...names,
          onlyOutputs: united.length > 0,
          outer: joins.some(({ joinType }) => joinType !== 'InnerJoin' && joinType !== 'CrossJoin'),
        }),
        ...limits(reader, node, root),
      },
    }
  }

  /** Puts every view's subquery into the place that was kept for it. Returns what the query took of the reader's grants. */
  fillViews(): Need[] {
    const needs: Need[] = []
    for (const { view, used, place } of this.#pending) {
      if (view.needs) needs.push(view.needs)
      for (const column of view.columns) if (used.has(column.name) && column.needs) needs.push(column.needs)
      const columns = view.columns
        .filter(({ name }) => used.has(name))
        .map(({ name, expression }) => sql`${expression} as ${sql.id(name)}`)
      // PostgreSQL may work a query's conditions out before those of the subquery, unless the subquery counts rows.
      const fence = this.engine === 'postgres' && view.filtered && this.computes ? sql` offset 0` : sql``
      const list = columns.length > 0 ? sql.join(columns) : sql`1 as present`
      place.node = sql`(select ${list} ${view.source(used)}${fence})`.toOperationNode()
    }
    return needs
  }

  #commonTables(node: Untrusted, scope: Scope): CommonTableExpressionNode[] {
    const { reader } = this
    const given = reader.field(node, 'with')
    if (given === undefined) return []
    return reader.within(given, (withNode) => {
      reader.forbid(withNode, ['recursive'])
      return reader.list(withNode, 'expressions').map((untrusted) =>
        reader.within(untrusted, (expression) => {
          const name = reader.within(expression['name'], (named) => {
            reader.forbid(named, ['columns'])
            return reader.name(tableName(named['table']))
          })
          const inner = this.#inner(expression['expression'], scope)
          const alias = this.#alias()
          scope.addTable(name, { alias, columns: inner.columns, sealed: inner.sealed })
          return CommonTableExpressionNode.create(CommonTableExpressionNameNode.create(alias), inner.node)
        }),
      )
    })
  }

  #sources(
    node: Untrusted,
    { scope, around }: { scope: Scope; around: Scope },
  ): { froms: OperationNode[]; joins: JoinNode[] } {
    const { reader } = this
    const found: Source[] = []
    const from = reader.field(node, 'from')
    const tables = from === undefined ? [] : reader.within(from, (inner) => reader.list(inner, 'froms'))
    const read = (untrusted: unknown) => {
      const { node: table, source } = this.#source(untrusted, around)
      found.push(source)
      return table
    }
    const froms = tables.map(read)
    const joined = reader.list(node, 'joins').map((untrusted) =>
      reader.within(untrusted, (join) => {
        const type = reader.field(join, 'joinType')
        if (typeof type !== 'string' || !JOINS.has(type))
          throw queryError(`Queries of plugins cannot use the join ${shown(type)}`)
        return { type: type as 'InnerJoin', table: read(join['table']), on: reader.field(join, 'on') }
      }),
    )
    for (const source of found) scope.addSource(source)
    const joins = joined.map(({ type, table, on }) => {
      if (on === undefined) return JoinNode.create(type, table)
      const condition = reader.within(on, (inner) => translateExpression(this, inner['on'], scope))
      return JoinNode.createWithOn(type, table, condition)
    })
    return { froms, joins }
  }

  #source(untrusted: unknown, scope: Scope): { node: OperationNode; source: Source } {
    const { reader } = this
    return reader.within(untrusted, (node, kind) => {
      if (kind === 'TableNode') return this.#table(node, scope)
      if (kind !== 'AliasNode') throw queryError(`Queries of plugins cannot select from "${kind}"`)
      const name = reader.name(identifier(node['alias']))
      return reader.within(node['node'], (inner, innerKind) => {
        if (innerKind === 'TableNode') return this.#table(inner, scope, name)
        const { node: query, columns, sealed } = this.#inner(node['node'], scope)
        const alias = this.#alias()
        return {
          node: AliasNode.create(query, IdentifierNode.create(alias)),
          source: { name, alias, columns: scopeColumns(columns, sealed) },
        }
      })
    })
  }

  #table(node: Untrusted, scope: Scope, as?: string): { node: OperationNode; source: Source } {
    const table = this.reader.name(tableName(node))
    const name = as ?? table
    const alias = this.#alias()
    const common = scope.findTable(table)
    if (common) {
      return {
        node: AliasNode.create(TableNode.create(common.alias), IdentifierNode.create(alias)),
        source: { name, alias, columns: scopeColumns(common.columns, common.sealed) },
      }
    }
    const { reader, views } = this.#options
    const view = views.get(table)
    if (!view)
      throw queryError(
        `There is no view "${table.slice(0, 60)}"`,
        `There are ${[...views.keys()].join(', ')}.`,
      )
    if (view.needs && !hasGrant(reader, view.needs))
      throw permissionError(reader.id, view.needs.permission, view.needs.name)
    const used = new Set<string>()
    const place: { node?: OperationNode } = {
      ...AliasNode.create(ValueNode.create(null), IdentifierNode.create(alias)),
    }
    this.#pending.push({ view, used, place })
    const columns = view.columns.map(({ name: column, needs, present, sealed }) => {
      const refused = needs && !hasGrant(reader, needs) ? needs : undefined
      return [column, { refused, present, sealed, use: () => void used.add(column) }] as const
    })
    return { node: place as AliasNode, source: { name, alias, columns: new Map(columns) } }
  }

  #inner(untrusted: unknown, scope: Scope | undefined): Selected {
    return this.reader.within(untrusted, (node, kind): Selected => {
      if (kind === 'ParensNode') return this.#inner(node['node'], scope)
      if (kind !== 'SelectQueryNode') throw queryError(`Queries of plugins cannot use "${kind}" as a table`)
      return this.select(node, scope)
    })
  }

  #selections(
    node: Untrusted,
    scope: Scope,
  ): { selections: SelectionNode[]; columns: string[]; sealed: Map<string, Sealed> } {
    const { reader } = this
    const found = reader
      .list(node, 'selections')
      .flatMap((untrusted) =>
        reader.within(untrusted, (selection) => this.#selection(selection['selection'], scope)),
      )
    if (found.length === 0) throw queryError('The query selects nothing')
    const sealed = new Map<string, Sealed>()
    for (const { name, value } of found) {
      const kind = this.sealed.settle(value)
      if (kind) sealed.set(name, kind)
    }
    return {
      sealed,
      columns: found.map(({ name }) => name),
      selections: found.map(({ name, value }) =>
        SelectionNode.create(AliasNode.create(value, IdentifierNode.create(name)) as never),
      ),
    }
  }

  #selection(untrusted: unknown, scope: Scope): { name: string; value: OperationNode }[] {
    const { reader } = this
    const all = (table?: string) =>
      scope.expand(table).map(({ alias, column, sealed }) => ({
        name: column,
        value: this.sealed.note(columnReference(alias, column), sealed, column),
      }))
    return reader.within(untrusted, (node, kind) => {
      if (kind === 'SelectAllNode') return all()
      if (kind === 'AliasNode') {
        const value = translateExpression(this, node['node'], scope)
        return [{ name: reader.name(identifier(node['alias'])), value }]
      }
      if (kind !== 'ReferenceNode')
        throw queryError('Everything that is selected needs a name', 'Add .as(…).')
      const table = tableName(reader.field(node, 'table'))
      return reader.within(node['column'], (column, columnKind) => {
        if (columnKind === 'SelectAllNode') return all(table === undefined ? undefined : reader.name(table))
        return [
          {
            name: reader.name(identifier(column['column'])),
            value: translateExpression(this, untrusted, scope),
          },
        ]
      })
    })
  }

  #condition(
    node: Untrusted,
    name: 'where' | 'having',
    { scope }: { scope: Scope },
  ): Partial<SelectQueryNode> {
    const given = this.reader.field(node, name)
    if (given === undefined) return {}
    const condition = this.reader.within(given, (inner) => translateExpression(this, inner[name], scope))
    return name === 'where'
      ? { where: { kind: 'WhereNode', where: condition } }
      : { having: { kind: 'HavingNode', having: condition } }
  }

  #grouping(
    node: Untrusted,
    {
      scope,
      outputs,
      sealed,
    }: { scope: Scope; outputs: ReadonlySet<string>; sealed: ReadonlyMap<string, Sealed> },
  ): Pick<SelectQueryNode, 'groupBy'> {
    const { reader } = this
    const given = reader.field(node, 'groupBy')
    if (given === undefined) return {}
    const items = reader.within(given, (by) =>
      reader.list(by, 'items').map((untrusted) =>
        reader.within(untrusted, ({ groupBy }) => {
          const output = outputName(groupBy, outputs)
          const inSource = output !== undefined && scope.sources.some(({ columns }) => columns.has(output))
          if (output !== undefined && sealed.get(output) === 'all') throw sealedError(output)
          return output !== undefined && !inSource
            ? columnOnly(output)
            : translateExpression(this, groupBy, scope)
        }),
      ),
    )
    return {
      groupBy: { kind: 'GroupByNode', items: items.map((groupBy) => ({ kind: 'GroupByItemNode', groupBy })) },
    }
  }

  #order(node: Untrusted, names: Names): Pick<SelectQueryNode, 'orderBy'> {
    const given = this.reader.field(node, 'orderBy')
    if (given === undefined) return {}
    return { orderBy: { kind: 'OrderByNode', items: orderItems(this, given, names) } }
  }

  #unions(node: Untrusted, around: Scope, width: number): SetOperationNode[] {
    const { reader } = this
    return reader.list(node, 'setOperations').map((untrusted) =>
      reader.within(untrusted, (operation) => {
        const operator = reader.field(operation, 'operator')
        if (typeof operator !== 'string' || !SET_OPERATORS.has(operator))
          throw queryError('Queries of plugins can only use union, intersect and except')
        const all = reader.field(operation, 'all') === true
        if (all && operator !== 'union') throw queryError(`"${operator} all" is not on every database`)
        const inner = reader.within(operation['expression'], (expression, kind) => {
          if (kind === 'SelectQueryNode') return this.select(expression, around, { operand: true })
          if (kind !== 'ParensNode') throw queryError('Only selects can be united')
          return reader.within(expression['node'], (select, innerKind) => {
            if (innerKind !== 'SelectQueryNode') throw queryError('Only selects can be united')
            return this.select(select, around, { operand: true })
          })
        })
        if (inner.columns.length !== width) throw queryError('United selects need as many columns each')
        return {
          kind: 'SetOperationNode' as const,
          operator: operator as 'union',
          expression: inner.node,
          all,
        }
      }),
    )
  }

  #alias(): string {
    return `q${++this.#aliases}`
  }
}

function scopeColumns(columns: readonly string[], sealed: ReadonlyMap<string, Sealed>): Source['columns'] {
  return new Map(columns.map((column) => [column, { sealed: sealed.get(column) }]))
}

function columnOnly(name: string): OperationNode {
  return {
    kind: 'ReferenceNode',
    column: { kind: 'ColumnNode', column: IdentifierNode.create(name) },
  } as OperationNode
}
