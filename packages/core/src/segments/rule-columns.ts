import { userError } from '@huitou/plugin-api'
import type { Db, Tx } from '../db/database.ts'
import { type ProfileColumn, readColumns } from '../profiles/columns.ts'

/** Columns that may be asked about now, by name: those of disabled plugins are left out. */
export async function readRuleColumns(db: Db | Tx): Promise<Map<string, ProfileColumn>> {
  return new Map((await readColumns(db)).map((column) => [column.name, column]))
}

/** The column called `name`; throws `E_RULE_COLUMN` when there is none or its plugin is disabled. */
export function getRuleColumn(columns: ReadonlyMap<string, ProfileColumn>, name: string): ProfileColumn {
  const column = columns.get(name)
  if (column) return column
  throw userError('E_RULE_COLUMN', `There is no column "${name}"`, {
    hint: 'Its plugin may be disabled, or no event has brought it yet.',
    details: { column: name },
  })
}

export type ValueClass = 'text' | 'number' | 'time' | 'boolean'

/** How values of a column type compare. */
export function classOf(type: string): ValueClass {
  if (type === 'text' || type === 'label') return 'text'
  if (type === 'time' || type === 'boolean') return type
  return 'number'
}
