import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { makeBackup } from '../src/backup/make-backup.ts'
import { restoreBackup } from '../src/backup/restore-backup.ts'
import { openHuitou } from '../src/open-huitou.ts'
import { startTestServer } from './test-server.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const NIGHT = Date.parse('2026-11-22T03:30:00Z')

test('whoever was erased after a backup is erased again when it is restored', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'huitou-erased-'))
  try {
    await using server = await startTestServer()
    const { core } = server.huitou
    const identify = (userId: string, phone: string) => ({
      type: 'identify',
      userId,
      messageId: userId,
      traits: { phone },
    })
    await fetch(`${server.url}/v1/batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${server.writeKey}:`)}` },
      body: JSON.stringify({ batch: [identify('stays', '13800000001'), identify('goes', '13800000002')] }),
    })
    await server.settle()
    const before = await makeBackup(server.config, { into: folder, now: NIGHT })
    const { customer_id: id } = await core.database.db
      .selectFrom('profiles')
      .select('customer_id')
      .where('key', '=', 'goes')
      .executeTakeFirstOrThrow()
    await core.erasures.request(id, { reason: 'asked', by: 'p1' })
    core.start()
    await expect.poll(async () => (await core.erasures.list(1))[0]?.state, { timeout: 20_000 }).toBe('done')
    await core.stop()
    // The next night's backup knows of it, and stands beside the one that does not.
    await makeBackup(server.config, { into: folder, now: NIGHT + 86_400_000 })

    const restored = path.join(folder, 'again')
    const { erasedSince } = await restoreBackup(before.folder, { dataDir: restored, databaseUrl: undefined })
    expect(erasedSince).toBe(1)
    await using copy = await openHuitou({ config: { ...server.config, dataDir: restored }, log: silent })
    const keys = await copy.core.database.db.selectFrom('profiles').select('key').execute()
    expect(keys).toEqual([{ key: 'stays' }])
    copy.core.start()
    await expect
      .poll(async () => (await copy.core.erasures.list(1))[0]?.state, { timeout: 20_000 })
      .toBe('done')
    await copy.core.stop()
    expect(await copy.core.database.db.selectFrom('events').select('message_id').execute()).toEqual([
      { message_id: 'stays' },
    ])
    expect(readFileSync(path.join(restored, 'erasures.jsonl'), 'utf8')).not.toContain('13800000002')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
