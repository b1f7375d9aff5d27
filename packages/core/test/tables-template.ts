import type { DatabaseTemplate } from '@huitou/testing/template'
import { openDatabase } from '../src/db/database.ts'
import { migrate } from '../src/db/migrate.ts'
import { coreMigrations } from '../src/schema.ts'

/** The core's tables without what a core writes into them when it starts. */
export const tablesTemplate: DatabaseTemplate = {
  name: 'tables',
  async fill(where) {
    const database = openDatabase('url' in where ? { ...where, poolSize: 1 } : { ...where, readers: 1 })
    try {
      await migrate(database, 'core', coreMigrations)
    } finally {
      await database.close()
    }
  },
}
