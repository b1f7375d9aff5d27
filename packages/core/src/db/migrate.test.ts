import { engines, openTestDatabase } from '@huitou/testing'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { migrate, type Migrations, planMigrations, tryMigrations } from './migrate.ts'

const cups: Migrations = {
  '0001_cups': {
    up: (db) => db.schema.createTable('cups').addColumn('id', 'integer').execute(),
  },
}
const saucers: Migrations = {
  ...cups,
  '0002_saucers': {
    up: (db) => db.schema.createTable('saucers').addColumn('id', 'integer').execute(),
  },
}
const broken: Migrations = {
  ...saucers,
  '0003_spoons': {
    async up(db) {
      await db.schema.createTable('spoons').addColumn('id', 'integer').execute()
      await sql`insert into spoons (id) values (1)`.execute(db)
      await sql`insert into forks (id) values (1)`.execute(db)
    },
  },
}

describe.each(engines)('on %s', (engine) => {
  test('a migration that fails half-way leaves schema and data as they were, and the next start can go on', async () => {
    const { database, remove } = await openTestDatabase(engine)
    try {
      await migrate(database, 'tea', cups)
      await sql`insert into cups (id) values (7)`.execute(database.db)
      await expect(migrate(database, 'tea', broken)).rejects.toMatchObject({
        code: 'E_MIGRATION_FAILED',
        message: expect.stringContaining('0003_spoons') as string,
      })
      const tables = (await database.db.introspection.getTables()).map(({ name }) => name)
      expect(tables).toContain('cups')
      // Those that stood before it in the same start were taken back with it.
      expect(tables).not.toContain('saucers')
      expect(tables).not.toContain('spoons')
      expect((await sql<{ id: number }>`select id from cups`.execute(database.db)).rows).toEqual([{ id: 7 }])
      expect(await planMigrations(database, 'tea', saucers)).toEqual({
        applied: ['0001_cups'],
        pending: ['0002_saucers'],
        unknown: [],
      })
      expect(await migrate(database, 'tea', saucers)).toEqual(['0002_saucers'])
    } finally {
      await database.close()
      await remove()
    }
  })

  test('a plan changes nothing, and names what a newer version left behind', async () => {
    const { database, remove } = await openTestDatabase(engine)
    try {
      const empty = await planMigrations(database, 'tea', saucers)
      expect(empty).toEqual({ applied: [], pending: ['0001_cups', '0002_saucers'], unknown: [] })
      expect(await database.db.introspection.getTables({ withInternalKyselyTables: true })).toEqual([])
      await migrate(database, 'tea', saucers)
      expect((await planMigrations(database, 'tea', cups)).unknown).toEqual(['0002_saucers'])
      await expect(migrate(database, 'tea', cups)).rejects.toMatchObject({ code: 'E_DATABASE_NEWER' })
    } finally {
      await database.close()
      await remove()
    }
  })
})

test('a trial on PostgreSQL runs what is pending, takes it back, and tells what would fail', async () => {
  const { database, remove } = await openTestDatabase('postgres')
  try {
    await migrate(database, 'tea', cups)
    await tryMigrations(database, await planMigrations(database, 'tea', saucers), saucers)
    expect((await planMigrations(database, 'tea', saucers)).pending).toEqual(['0002_saucers'])
    expect((await database.db.introspection.getTables()).map(({ name }) => name)).not.toContain('saucers')
    const plan = await planMigrations(database, 'tea', broken)
    await expect(tryMigrations(database, plan, broken)).rejects.toThrow(/forks/)
  } finally {
    await database.close()
    await remove()
  }
})
