import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openDatabase } from '@huitou/core'
import { coreTemplate } from '@huitou/testing/core-template'
import { createPostgresDatabase } from '@huitou/testing/postgres'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Config } from '../src/config.ts'
import { examine } from '../src/doctor/examine.ts'
import { openHuitou } from '../src/open-huitou.ts'
import { checkUpgrade } from '../src/upgrade/check-upgrade.ts'
import { layOldDatabase, OLD_OWNER } from './old-database.ts'
import { runHuitou } from './server-process.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }
let dataDir: string
beforeEach(() => (dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-upgrade-'))))
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const configOf = (databaseUrl?: string): Config => ({
  dataDir,
  databaseUrl,
  analyticsUrl: undefined,
  publicUrl: undefined,
  secret: 'only for tests, but long enough',
  logLevel: 'silent',
})

const digest = () =>
  createHash('sha256')
    .update(readFileSync(path.join(dataDir, 'huitou.db')))
    .digest('hex')

/** Makes the database look as if a version to come had written it. */
async function writeAsNewer(options: { file: string } | { url: string }): Promise<void> {
  const database = openDatabase(options)
  await sql`insert into huitou_migrations_core (name, timestamp) values ('9999_from_the_future', '2030-01-01')`.execute(
    database.db,
  )
  await database.close()
}

test('upgrade --check tries an old database on a copy, says what would run, and changes nothing', async () => {
  layOldDatabase(dataDir)
  const before = digest()
  const check = await checkUpgrade(configOf())
  expect(check.trial).toMatchObject({ ok: true, reason: null })
  expect(check).toMatchObject({ ok: true, writtenBy: null, disk: { ok: true } })
  expect(check.migrations.applied).toContain('0160_bulk_actions')
  expect(check.migrations.unknown).toEqual([])
  expect(digest()).toBe(before)
  // SQLite lays an empty log beside a database that it reads.
  expect(readdirSync(dataDir).filter((name) => !/^huitou\.db(-wal|-shm)?$/.test(name))).toEqual([])
})

test('what an older version wrote opens with all its data, and doctor finds nothing wrong', async () => {
  layOldDatabase(dataDir)
  await using huitou = await openHuitou({ config: configOf(), log: silent })
  const auth = await huitou.auth()
  await huitou.core.settle()
  const { db } = huitou.core.database
  const count = async (table: 'events' | 'profiles' | 'timeline' | 'journeys' | 'tasks') =>
    Number(
      (
        await db
          .selectFrom(table)
          .select((e) => e.fn.countAll().as('n'))
          .executeTakeFirstOrThrow()
      ).n,
    )
  // What stages write about somebody may have joined since.
  expect(await count('events')).toBeGreaterThanOrEqual(888)
  expect(await count('timeline')).toBeGreaterThanOrEqual(888)
  expect([await count('profiles'), await count('journeys'), await count('tasks')]).toEqual([61, 1, 1])
  const signIn = await auth.signIn(OLD_OWNER, new Headers({ 'user-agent': 'tests' }))
  expect(signIn.status).toBe(200)
  const findings = await examine(huitou, configOf())
  expect(findings.filter(({ level }) => level === 'fail')).toEqual([])
})

test(
  'a database of a newer version is refused by the real process, and left as it is',
  { timeout: 120_000 },
  async () => {
    layOldDatabase(dataDir)
    await writeAsNewer({ file: path.join(dataDir, 'huitou.db') })
    const before = digest()
    const { code, err } = await runHuitou(['serve', '--port', '0', '--data', dataDir])
    expect(err).toContain('E_DATABASE_NEWER')
    expect(code).toBe(1)
    const checked = await runHuitou(['upgrade', '--check', '--data', dataDir])
    expect(checked.code).toBe(1)
    expect(checked.out).toContain('9999_from_the_future')
    expect(checked.out).toContain('Do not start this version')
    expect(digest()).toBe(before)
  },
)

test('on PostgreSQL the trial is a transaction that is taken back', async () => {
  const postgres = await createPostgresDatabase(coreTemplate)
  try {
    const database = openDatabase({ url: postgres.url, poolSize: 1 })
    await sql`drop table bulk_targets`.execute(database.db)
    await sql`delete from huitou_migrations_core where name = '0160_bulk_actions'`.execute(database.db)
    const check = await checkUpgrade(configOf(postgres.url))
    expect(check).toMatchObject({ ok: true, trial: { ok: true } })
    expect(check.migrations.pending).toEqual(['0160_bulk_actions'])
    const tables = async () => (await database.db.introspection.getTables()).map(({ name }) => name)
    expect(await tables()).not.toContain('bulk_targets')
    // Something stands in its way: the trial says so before the start does.
    await sql`create table bulk_targets (run text)`.execute(database.db)
    expect(await checkUpgrade(configOf(postgres.url))).toMatchObject({ ok: false, trial: { ok: false } })
    await database.close()
    await writeAsNewer({ url: postgres.url })
    const refused = await checkUpgrade(configOf(postgres.url))
    expect(refused).toMatchObject({ ok: false, trial: null })
  } finally {
    await postgres.drop()
  }
})

test(
  'without --check there is nothing to do, and without a database nothing to check',
  { timeout: 120_000 },
  async () => {
    expect((await runHuitou(['upgrade', '--data', dataDir])).err).toContain('E_UPGRADE_CHECK')
    expect((await runHuitou(['upgrade', '--check', '--data', path.join(dataDir, 'x')])).err).toContain(
      'E_NO_DATABASE',
    )
    expect(readdirSync(dataDir)).toEqual([])
  },
)
