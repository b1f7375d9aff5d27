import { jsonType } from '../db/columns.ts'
import type { Migrations } from '../db/migrate.ts'

export type ImportState =
  | 'uploaded'
  | 'checking'
  | 'checked'
  | 'importing'
  | 'paused'
  | 'done'
  | 'failed'
  | 'cancelled'

/** Tables of the import engine. Rows of the file itself wait in a file of their own, see `staging.ts`. */
export interface ImportTables {
  imports: {
    id: string
    /** Name of the file as uploaded. */
    name: string
    /** Id of the source that reads it: `commerce.orders`. */
    source: string
    state: ImportState
    /** Bytes as uploaded. */
    size: number
    /** {@link TableFacts} as JSON: encoding, separator, sheet, headings, sample, recognitions. */
    facts: string
    /** {@link Mapping} as JSON; NULL while nobody knows what the columns mean. */
    mapping: string | null
    /** {@link DryRun} as JSON; NULL until a check of the present mapping has ended. */
    dry_run: string | null
    /** {@link ImportPosition} as JSON: what has been imported so far, and where to go on. */
    position: string | null
    job_id: string | null
    result: string | null
    error: string | null
    created_at: number
    updated_at: number
  }
}

export const importMigrations: Migrations = {
  '0070_imports': {
    async up(db) {
      await db.schema
        .createTable('imports')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('source', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('size', 'bigint', (column) => column.notNull())
        .addColumn('facts', jsonType(db), (column) => column.notNull())
        .addColumn('mapping', jsonType(db))
        .addColumn('dry_run', jsonType(db))
        .addColumn('position', 'text')
        .addColumn('job_id', 'text')
        .addColumn('result', jsonType(db))
        .addColumn('error', jsonType(db))
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('imports_created').on('imports').column('created_at').execute()
    },
  },
}
