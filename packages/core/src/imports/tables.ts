import type { Migrations } from '../db/migrate.ts'

/** Tables of the import engine. */
export interface ImportTables {}

export const importMigrations: Migrations = {}
