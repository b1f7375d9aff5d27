import { tmpdir } from 'node:os'
import { createCore, openDatabase } from '@huitou/core'
import type { PostgresTemplate } from './postgres.ts'

/** The core's tables, empty, as a new installation has them. */
export const coreTemplate: PostgresTemplate = {
  name: 'core',
  async fill(url) {
    const database = openDatabase({ url, poolSize: 1 })
    try {
      await createCore({ database, dataDir: tmpdir() })
    } finally {
      await database.close()
    }
  },
}
