import { tmpdir } from 'node:os'
import { createCore, openDatabase } from '@huitou/core'
import type { DatabaseTemplate } from './template.ts'

/** The core's tables, empty, as a new installation has them. */
export const coreTemplate: DatabaseTemplate = {
  name: 'core',
  async fill(where) {
    const database = openDatabase('url' in where ? { ...where, poolSize: 1 } : { ...where, readers: 1 })
    try {
      await createCore({ database, dataDir: tmpdir() })
    } finally {
      await database.close()
    }
  },
}
