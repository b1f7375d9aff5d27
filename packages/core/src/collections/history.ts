import type { Db } from '../db/database.ts'
import type { Definition } from './definition.ts'
import { getRecord } from './find.ts'
import type { Author, StoredRecord } from './record.ts'

/** One version of a record and what made it differ from the one before. */
export interface HistoryEntry {
  version: number
  kind: 'insert' | 'update' | 'delete'
  at: number
  by: Author
  changes: { field: string; before: unknown; after: unknown }[]
}

/** Versions of a record, the latest first. The oldest may be forgotten. */
export async function readHistory(db: Db, definition: Definition, id: string): Promise<HistoryEntry[]> {
  const rows = await db
    .selectFrom('collection_history')
    .selectAll()
    .where('collection', '=', definition.id)
    .where('record_id', '=', id)
    .orderBy('seq', 'desc')
    .limit(200)
    .execute()
  const present = await getRecord(db, definition, id)
  const entries: HistoryEntry[] = []
  let after: StoredRecord = present
  for (const { before, kind, at, by } of rows) {
    const earlier = JSON.parse(before) as StoredRecord
    entries.push({
      version: after.version,
      kind,
      at,
      by: by as Author,
      changes: differences(definition, earlier, after),
    })
    after = earlier
  }
  if (after.version === 1)
    entries.push({ version: 1, kind: 'insert', at: after.createdAt, by: after.createdBy, changes: [] })
  return entries
}

function differences(
  { fields }: Definition,
  before: StoredRecord,
  after: StoredRecord,
): HistoryEntry['changes'] {
  return fields.flatMap(({ name }) => {
    const [was, is] = [before.data[name] ?? null, after.data[name] ?? null]
    return JSON.stringify(was) === JSON.stringify(is) ? [] : [{ field: name, before: was, after: is }]
  })
}
