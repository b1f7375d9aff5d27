import { toDefinition } from './collections/definition.ts'
import { sealField } from './collections/sealed-fields.ts'
import type { Db, Tx } from './db/database.ts'
import { lookupCells } from './people/identifier-lookup.ts'
import { PROTECTED_COLUMNS, sealCell } from './people/protected-columns.ts'
import type { Vault } from './people/vault.ts'
import { isSealed, readColumns } from './profiles/columns.ts'

/** A table that holds personal data, and how a cell of it is sealed. */
export interface SealingTarget {
  name: string
  table: string
  key: readonly string[]
  columns: readonly string[]
  /** What is stored for an opened value. */
  seal(vault: Vault, column: string, value: string): unknown
  /** Further columns to write when the row is sealed anew. */
  beside?(vault: Vault, opened: Record<string, unknown>): Record<string, unknown>
  /** What holds words of the row and has to be made anew with it. */
  collection?: string
}

/** Keys of tables whose key is not `id`. */
const KEYS: Record<string, readonly string[]> = {
  events: ['seq'],
  profiles: ['customer_id'],
  profile_states: ['customer_id'],
  early_receipts: ['channel', 'provider_id', 'at'],
  message_links: ['token'],
  consent_ledger: ['seq'],
  collection_history: ['seq'],
  collection_outbox: ['seq'],
  plugin_storage: ['plugin_id', 'key'],
}

/** Every table that holds personal data: the core's own, and those of plugins' records. */
export async function sealingTargets(db: Db | Tx): Promise<SealingTarget[]> {
  const sealedColumns = (await readColumns(db)).filter(isSealed).map(({ name }) => name)
  const own = Object.entries(PROTECTED_COLUMNS).map(([table, protections]): SealingTarget => {
    const dynamic = table === 'profiles' ? sealedColumns : []
    return {
      name: table,
      table,
      key: KEYS[table] ?? ['id'],
      columns: [...Object.keys(protections), ...dynamic],
      seal: (vault, column, value) => sealCell(vault, protections[column] ?? 'note', value),
      ...(table === 'identifiers'
        ? { beside: (vault, { value }) => lookupCells(vault, String(value)) as Record<string, unknown> }
        : {}),
    }
  })
  const rows = await db.selectFrom('collections').selectAll().execute()
  const records = rows.map((row): SealingTarget => {
    const { id, table, fields } = toDefinition(row)
    const texts = new Map(
      fields
        .filter(({ storage, kind }) => storage === 'json' || (storage === 'text' && kind === 'text'))
        .map((field) => [field.column, field]),
    )
    return {
      name: `collection ${id}`,
      table,
      key: ['seq'],
      columns: [...texts.keys()],
      seal(vault, column, value) {
        const field = texts.get(column)
        return field ? sealField(vault, field, value) : value
      },
      collection: id,
    }
  })
  return [...own, ...records.filter(({ columns }) => columns.length > 0)]
}
