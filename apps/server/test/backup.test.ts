import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { FakeClock } from '@huitou/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeBackup, pruneBackups } from '../src/backup/make-backup.ts'
import { restoreBackup } from '../src/backup/restore-backup.ts'
import { lastDue, planBackup, scheduleBackups } from '../src/backup/schedule.ts'
import { verifyBackup } from '../src/backup/verify-backup.ts'
import { openHuitou } from '../src/open-huitou.ts'
import { startTestServer, type TestServer } from './test-server.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const NIGHT = Date.parse('2026-11-22T03:30:00Z')
let folder: string

beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'huitou-backups-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (...names: string[]) => path.join(folder, ...names)

async function send(server: TestServer, from: number, count: number): Promise<void> {
  const batch = Array.from({ length: count }, (_, index) => ({
    type: 'track',
    event: 'Tea Poured',
    userId: `u${(from + index) % 17}`,
    messageId: `m${from + index}`,
    properties: { cups: index, note: '龙井' },
  }))
  const answer = await fetch(`${server.url}/v1/batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${server.writeKey}:`)}` },
    body: JSON.stringify({ batch }),
  })
  if (!answer.ok) throw new Error(await answer.text())
}

test.each([
  ['2026-11-22T03:30:00+08:00', '2026-11-22T03:30:00+08:00'],
  ['2026-11-22T03:29:59+08:00', '2026-11-21T03:30:00+08:00'],
  ['2026-11-22T23:59:00+08:00', '2026-11-22T03:30:00+08:00'],
])('at %s the last backup was due at %s', (now, due) => {
  expect(lastDue(Date.parse(now), { at: '03:30' }, 'Asia/Shanghai')).toBe(Date.parse(due))
})

describe('on SQLite', () => {
  test('a backup a day is made, once, and made up for when the server was off at the hour', async () => {
    const clock = new FakeClock('2026-11-22T09:00:00+08:00')
    await using server = await startTestServer('sqlite', [], { clock })
    const { core } = server.huitou
    const config = { ...server.config, backup: { dir: folder, at: '03:30', keep: 3 } }
    const backups = async () => (await core.jobs.list(20)).filter(({ kind }) => kind === 'backup')
    {
      using _planned = scheduleBackups(core, config)
      core.start()
      await vi.waitFor(async () => expect(await backups()).toMatchObject([{ state: 'done' }]), 20_000)
    }
    expect(readdirSync(folder)).toEqual(['huitou-20261122T010000Z'])
    expect(await planBackup(core, config.backup)).toBe(false)
    clock.set('2026-11-23T02:00:00+08:00')
    expect(await planBackup(core, config.backup)).toBe(false)
    clock.set('2026-11-23T03:31:00+08:00')
    expect(await planBackup(core, config.backup)).toBe(true)
    expect(await planBackup(core, config.backup)).toBe(false)
    clock.set('2026-11-25T02:00:00+08:00')
    expect(await planBackup(core, config.backup)).toBe(false)
    await core.stop()
  })

  test('a backup made while events come in restores to a whole Huitou of one instant', async () => {
    await using server = await startTestServer()
    await send(server, 0, 500)
    await server.settle()
    let sent = 500
    let running = true
    const sending = (async () => {
      for (; running; sent += 100) await send(server, sent, 100)
    })()
    const before = sent
    const backup = await makeBackup(server.config, { into: folder, now: NIGHT })
    running = false
    await sending
    expect(backup.folder).toBe(at('huitou-20261122T033000Z'))

    const restored = at('again')
    const { manifest } = await restoreBackup(backup.folder, { dataDir: restored, databaseUrl: undefined })
    const events = manifest.tables['events']?.rows ?? 0
    expect(events).toBeGreaterThanOrEqual(before)
    expect(events % 100).toBe(0)
    expect(events).toBeLessThanOrEqual(sent)
    await using copy = await openHuitou({ config: { ...server.config, dataDir: restored }, log: silent })
    await copy.core.settle()
    const { count } = await copy.core.database.db
      .selectFrom('timeline')
      .select((query) => query.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    expect(count).toBe(events)
  })

  test('a backup that has changed since is refused, and says where', async () => {
    await using server = await startTestServer()
    await send(server, 0, 20)
    writeFileSync(path.join(server.config.dataDir, 'note.txt'), 'beside the database')
    const { folder: backup } = await makeBackup(server.config, { into: folder, now: NIGHT })
    await expect(verifyBackup(backup)).resolves.toMatchObject({ engine: 'sqlite' })

    const database = path.join(backup, 'huitou.db')
    const whole = readFileSync(database)
    const bitten = Buffer.from(whole)
    bitten[bitten.length - 900] = (bitten[bitten.length - 900] ?? 0) ^ 1
    for (const [wrong, bytes] of [
      ['huitou.db has changed', bitten],
      ['bytes instead of', whole.subarray(0, -4_096)],
    ] as const) {
      writeFileSync(database, bytes)
      const target = at('target')
      const attempt = restoreBackup(backup, { dataDir: target, databaseUrl: undefined })
      await expect(attempt).rejects.toMatchObject({
        code: 'E_BACKUP_DAMAGED',
        message: expect.stringContaining(wrong),
      })
      expect(existsSync(target)).toBe(false)
    }
    writeFileSync(database, whole)
    rmSync(path.join(backup, 'files/note.txt'))
    await expect(verifyBackup(backup)).rejects.toMatchObject({
      message: expect.stringContaining('note.txt is missing'),
    })
    rmSync(path.join(backup, 'backup.json'))
    await expect(verifyBackup(backup)).rejects.toMatchObject({ code: 'E_NO_BACKUP' })
  })

  test('nothing that exists is written over, and a backup that fails leaves nothing', async () => {
    await using server = await startTestServer()
    const { dataDir } = server.config
    const { folder: backup } = await makeBackup(server.config, { into: folder, now: NIGHT })
    const target = { dataDir, databaseUrl: undefined }
    await expect(restoreBackup(backup, target)).rejects.toMatchObject({ code: 'E_NOT_EMPTY' })
    await expect(restoreBackup(backup, { ...target, databaseUrl: 'postgres://x/y' })).rejects.toMatchObject({
      code: 'E_NOT_EMPTY',
    })
    await expect(
      restoreBackup(backup, { dataDir: at('empty'), databaseUrl: 'postgres://x/y' }),
    ).rejects.toMatchObject({ code: 'E_BACKUP_ENGINE' })
    const inside = makeBackup(server.config, { into: path.join(dataDir, 'plugins'), now: NIGHT })
    await expect(inside).rejects.toMatchObject({ code: 'E_BACKUP_INSIDE' })
    const none = makeBackup(
      { dataDir: at('nowhere'), databaseUrl: undefined },
      { into: folder, now: NIGHT + 1_000 },
    )
    await expect(none).rejects.toMatchObject({ code: 'E_NO_DATA' })
    const stopped = makeBackup(server.config, {
      into: folder,
      now: NIGHT + 1_000,
      signal: AbortSignal.abort(new Error('stopped')),
    })
    await expect(stopped).rejects.toThrow('stopped')
    writeFileSync(at('file'), '')
    const file = makeBackup(server.config, { into: at('file'), now: NIGHT })
    await expect(file).rejects.toMatchObject({ code: 'E_BACKUP_FOLDER' })
    expect(readdirSync(folder).toSorted()).toEqual(['file', 'huitou-20261122T033000Z'])
  })

  test('older backups go, whole ones only and no other folder', async () => {
    await using server = await startTestServer()
    for (const hours of [0, 1, 2, 3])
      await makeBackup(server.config, { into: folder, now: NIGHT + hours * 3_600_000 })
    rmSync(at('huitou-20261122T033000Z', 'backup.json'))
    writeFileSync(at('notes.txt'), 'mine')
    expect(await pruneBackups(folder, 2)).toBe(1)
    expect(readdirSync(folder).toSorted()).toEqual([
      'huitou-20261122T033000Z',
      'huitou-20261122T053000Z',
      'huitou-20261122T063000Z',
      'notes.txt',
    ])
  })

  test('a backup is for its owner alone', async () => {
    await using server = await startTestServer()
    const { folder: backup } = await makeBackup(server.config, { into: folder, now: NIGHT })
    expect((statSync(backup).mode & 0o777).toString(8)).toBe('700')
  })
})

const dumps = spawnSync('pg_dump', ['--version'], { encoding: 'utf8' }).stdout?.match(/(\d+)\./)?.[1]

describe('on PostgreSQL', () => {
  test.skipIf(Number(dumps ?? 0) < 18)('a dump restores into an empty database', async () => {
    await using server = await startTestServer('postgres')
    await send(server, 0, 50)
    const { manifest } = await makeBackup(server.config, { into: folder, now: NIGHT })
    expect(manifest.files.map((file) => file.path)).toContain('huitou.dump')
  })

  test.skipIf(dumps !== undefined && Number(dumps) >= 18)(
    'without the programs of the server’s version it says which are missing, and leaves nothing',
    async () => {
      await using server = await startTestServer('postgres')
      const attempt = makeBackup(server.config, { into: folder, now: NIGHT })
      await expect(attempt).rejects.toMatchObject({
        code: 'E_PG_TOOLS',
        message: expect.stringContaining('pg_dump'),
      })
      expect(readdirSync(folder)).toEqual([])
    },
  )
})
