import { userError } from '@huitou/plugin-api'
import type { Db, Tx } from '../db/database.ts'
import type { Text } from '../points/points.ts'

/** A column of the wide row, as rules, searches and exports see it. */
export interface RuleColumn {
  name: string
  logical: string
  kind: string
  owner: string
  type: string
  title: Text
  options: ColumnOption[]
  pii: boolean
}

export interface ColumnOption {
  value: string
  title: Text
  color?: string
  group?: string
}

/** Columns that may be asked about now: those of disabled plugins are left out. */
export async function readRuleColumns(db: Db | Tx): Promise<Map<string, RuleColumn>> {
  const rows = await db.selectFrom('profile_columns').selectAll().where('active', '=', 1).orderBy('position').orderBy('name').execute()
  return new Map(
    rows.map((row) => [
      row.name,
      {
        name: row.name,
        logical: row.logical,
        kind: row.kind,
        owner: row.owner,
        type: row.type,
        title: JSON.parse(row.title) as Text,
        options: row.options === null ? [] : (JSON.parse(row.options) as ColumnOption[]),
        pii: row.pii === 1,
      },
    ]),
  )
}

/** The column called `name`; throws `E_RULE_COLUMN` when there is none or its plugin is disabled. */
export function getRuleColumn(columns: ReadonlyMap<string, RuleColumn>, name: string): RuleColumn {
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
