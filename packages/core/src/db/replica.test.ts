import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startDurablePostgres } from '@huitou/testing/durable-postgres'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createCore } from '../core.ts'
import { normalizeMessage } from '../events/normalize.ts'
import { countRule } from '../segments/count.ts'
import { openDatabase } from './database.ts'

test('long questions go to the replica, and the work to the database', { timeout: 90_000 }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'huitou-replica-'))
  const postgres = await startDurablePostgres()
  try {
    const standby = await postgres.addStandby()
    const database = openDatabase({
      url: postgres.url(),
      analyticsUrl: postgres.url(standby.port),
      poolSize: 4,
    })
    const core = await createCore({ database, dataDir: folder })
    const come = async (userId: string) => {
      const event = normalizeMessage(
        { type: 'track', event: 'visit', userId },
        { source: 't', receivedAt: 1 },
      )
      if (event instanceof Error) throw event
      await core.events.append([event])
      await core.settle()
    }
    const count = async () => (await countRule(core, { all: [{ column: 'key', op: 'is_set' }] })).count
    const caughtUp = async () => {
      const { rows } = await sql<{ at: string }>`select pg_current_wal_lsn()::text as at`.execute(database.db)
      const reached = sql<{ yes: boolean }>`select pg_last_wal_replay_lsn() >= ${rows[0]?.at}::pg_lsn as yes`
      while (!(await reached.execute(database.analytics)).rows[0]?.yes) await new Promise(setImmediate)
    }
    await come('a')
    await caughtUp()
    expect(await count()).toBe(1)
    // A replica that is behind answers what it knows; it holds nothing up.
    await sql`select pg_wal_replay_pause()`.execute(database.analytics)
    await come('b')
    expect(await database.db.selectFrom('profiles').select('key').execute()).toHaveLength(2)
    expect(await count()).toBe(1)
    await sql`select pg_wal_replay_resume()`.execute(database.analytics)
    await caughtUp()
    expect(await count()).toBe(2)
    await database.close()
  } finally {
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
