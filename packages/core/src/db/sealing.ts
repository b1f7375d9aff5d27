import {
  type ColumnUpdateNode,
  InsertQueryNode,
  type Kysely,
  type KyselyPlugin,
  type OperationNode,
  type RootOperationNode,
  UpdateQueryNode,
} from 'kysely'
import { PROTECTED_COLUMNS, type Protection, sealCell } from '../people/protected-columns.ts'
import { Vault } from '../people/vault.ts'

/** By a handle's adapter, which all its transactions share. */
const vaults = new WeakMap<object, Vault>()

/** A handle that seals what is written to protected columns, and opens whatever it reads. */
export function withSealing<T>(db: Kysely<T>, vault: Vault): Kysely<T> {
  const sealing = db.withPlugin(sealingPlugin(vault))
  vaults.set(sealing.getExecutor().adapter, vault)
  return sealing
}

/** What seals personal data behind a handle or transaction. */
export function vaultOf(db: Kysely<never> | Kysely<any>): Vault {
  const { adapter } = db.getExecutor()
  let vault = vaults.get(adapter)
  if (!vault) vaults.set(adapter, (vault = new Vault()))
  return vault
}

/** Rows of a table as they are stored. For statements that Kysely does not see whole: `insertRows` and the like. */
export function sealRows<R extends object>(
  db: Kysely<never> | Kysely<any>,
  table: string,
  rows: readonly R[],
): readonly R[] {
  const vault = vaultOf(db)
  const columns = Object.hasOwn(PROTECTED_COLUMNS, table) ? PROTECTED_COLUMNS[table] : undefined
  if (!columns || !vault.isOpen) return rows
  return rows.map((row) => {
    const sealed = { ...row } as Record<string, unknown>
    for (const [name, protection] of Object.entries(columns))
      if (name in sealed) sealed[name] = sealCell(vault, protection, sealed[name])
    return sealed as R
  })
}

function sealingPlugin(vault: Vault): KyselyPlugin {
  return {
    transformQuery: ({ node }) => (vault.isOpen ? sealed(node, vault) : node),
    async transformResult({ result }) {
      await vault.openRows(result.rows)
      return result
    },
  }
}

type Columns = Readonly<Record<string, Protection>>

function sealed(node: RootOperationNode, vault: Vault): RootOperationNode {
  if (InsertQueryNode.is(node)) {
    const columns = columnsOf(node.into)
    return columns ? sealedInsert(node, columns, vault) : node
  }
  if (UpdateQueryNode.is(node)) {
    const columns = columnsOf(node.table)
    return columns && node.updates ? { ...node, updates: sealedUpdates(node.updates, columns, vault) } : node
  }
  return node
}

function sealedInsert(node: InsertQueryNode, columns: Columns, vault: Vault): InsertQueryNode {
  const { values, onConflict } = node
  const protections = (node.columns ?? []).map(({ column }) => columns[column.name])
  const isAffected = protections.some((protection) => protection !== undefined)
  return {
    ...node,
    ...(values && isAffected ? { values: sealedValues(values, protections, vault) } : {}),
    ...(onConflict?.updates
      ? { onConflict: { ...onConflict, updates: sealedUpdates(onConflict.updates, columns, vault) } }
      : {}),
  }
}

/** Rows of values; an insert from a query brings none. */
function sealedValues(
  node: OperationNode,
  protections: readonly (Protection | undefined)[],
  vault: Vault,
): OperationNode {
  if (node.kind !== 'ValuesNode') return node
  const { values } = node as OperationNode & {
    values: readonly (OperationNode & { values?: readonly unknown[] })[]
  }
  const rows = values.map((row) => ({
    ...row,
    values: (row.values ?? []).map((value, index) => {
      const protection = protections[index]
      if (!protection) return value
      return row.kind === 'PrimitiveValueListNode'
        ? sealCell(vault, protection, value)
        : sealedNode(value as OperationNode, protection, vault)
    }),
  }))
  return { ...node, values: rows } as OperationNode
}

function sealedUpdates(
  updates: readonly ColumnUpdateNode[],
  columns: Columns,
  vault: Vault,
): ColumnUpdateNode[] {
  return updates.map((update) => {
    const protection = columns[columnName(update.column) ?? '']
    return protection ? { ...update, value: sealedNode(update.value, protection, vault) } : update
  })
}

function sealedNode(node: OperationNode, protection: Protection, vault: Vault): OperationNode {
  if (node.kind !== 'ValueNode') return node
  const { value } = node as OperationNode & { value: unknown }
  return { ...node, value: sealCell(vault, protection, value) } as OperationNode
}

/** The protected columns of the table that a node names, with or without an alias. */
function columnsOf(node: OperationNode | undefined): Columns | undefined {
  const inner = node?.kind === 'AliasNode' ? (node as OperationNode & { node: OperationNode }).node : node
  if (inner?.kind !== 'TableNode') return undefined
  const { table } = inner as OperationNode & { table: { identifier: { name: string } } }
  const { name } = table.identifier
  return Object.hasOwn(PROTECTED_COLUMNS, name) ? PROTECTED_COLUMNS[name] : undefined
}

function columnName(node: OperationNode): string | undefined {
  if (node.kind === 'ColumnNode') return (node as OperationNode & { column: { name: string } }).column.name
  if (node.kind === 'ReferenceNode')
    return columnName((node as OperationNode & { column: OperationNode }).column)
  return undefined
}
