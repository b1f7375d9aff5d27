import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createWriteKey, openDatabase, systemClock } from '@huitou/core'
import { expect, test } from 'vitest'
import { makeBackup } from '../src/backup/make-backup.ts'
import { readConfig } from '../src/config.ts'
import { openHuitou } from '../src/open-huitou.ts'
import { startServerProcess } from './server-process.ts'

/** Found nowhere but where they belong. */
const MASTER = 'canary-master-key-0123456789abcdefghij'
const PASSWORD = 'canary password of the owner'
const PLUGIN_SECRET = 'canary-secret-of-a-channel'
const METRICS_TOKEN = 'canary-token-for-metrics'

test(
  'secrets stay where they belong: not in logs, answers, figures, the description of the API, or a backup’s list',
  { timeout: 120_000 },
  async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-canaries-'))
    const backups = mkdtempSync(path.join(tmpdir(), 'huitou-canaries-backup-'))
    const env = { HUITOU_SECRET: MASTER, HUITOU_METRICS_TOKEN: METRICS_TOKEN, HUITOU_LOG_LEVEL: 'debug' }
    const config = readConfig(dataDir, env)
    let key: string
    {
      await using huitou = await openHuitou({
        config,
        log: { info: () => {}, warn: () => {}, error: () => {} },
      })
      key = (await createWriteKey(huitou.core.database.db, systemClock, 'canary')).key
      const auth = await huitou.auth()
      const person = { name: 'Lan', email: 'lan@example.com', password: PASSWORD, locale: 'en' }
      await auth.createUser({ ...person, role: 'owner' })
    }
    const server = await startServerProcess(dataDir, { env })
    const seen: string[] = []
    const ask = async (route: string, init: RequestInit & { headers?: Record<string, string> } = {}) => {
      const answer = await fetch(`${server.url}${route}`, init)
      const text = await answer.text()
      seen.push(
        `${route} ${answer.status} ${text} ${JSON.stringify([...answer.headers].filter(([name]) => name !== 'set-cookie'))}`,
      )
      return { answer, text }
    }
    const json = { 'Content-Type': 'application/json', Origin: server.url }
    const signIn = (password: string) =>
      ask('/api/auth/sign-in/email', {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ email: 'lan@example.com', password }),
      })
    await signIn(`${PASSWORD} wrong`)
    const { answer } = await signIn(PASSWORD)
    const cookie = answer.headers
      .getSetCookie()
      .map((line) => line.split(';', 1)[0])
      .join('; ')
    expect(cookie).toContain('huitou')
    const session = decodeURIComponent(/session_token=([^;]+)/.exec(cookie)?.[1] ?? '')
    const headers = { ...json, Cookie: cookie }
    await ask('/api/plugins/huitou.channel-webhook/enable', { method: 'POST', headers, body: '{}' })
    const made = await ask('/api/channels/accounts', {
      method: 'POST',
      headers,
      body: JSON.stringify({
        channel: 'huitou.channel-webhook/post',
        name: 'Canary',
        settings: { url: 'https://example.com/hook', secret: PLUGIN_SECRET },
      }),
    })
    // Wherever it goes wrong, what was sent is not repeated.
    await ask('/v1/track', { method: 'POST', headers: { Authorization: `Bearer ${key}x` }, body: '{' })
    await ask('/v1/batch', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${key}:`)}` },
      body: JSON.stringify({ writeKey: key, batch: [{ type: 'track' }, { event: 'x', userId: 'a' }] }),
    })
    for (const route of [
      '/api/channels',
      '/api/channels/accounts',
      '/api/settings',
      '/api/settings/write-keys',
      '/api/plugins',
      '/api/plugins/huitou.channel-webhook/settings',
      '/api/jobs',
      '/api/operations',
      '/api/alerts',
      '/api/audit',
      '/api/columns',
      '/api/openapi.json',
      '/api/no-such-thing',
      '/healthz',
      '/readyz',
    ])
      await ask(route, { headers })
    await ask('/metrics', { headers: { Authorization: `Bearer ${METRICS_TOKEN}` } })
    await ask('/metrics', { headers: { Authorization: 'Bearer wrong' } })
    const backup = await makeBackup({ dataDir, databaseUrl: undefined }, { into: backups, now: Date.now() })
    seen.push(readFileSync(path.join(backup.folder, 'backup.json'), 'utf8'))
    server.child.kill('SIGTERM')
    await server.ended
    const log = await server.log
    expect(log.split('\n').length).toBeGreaterThan(20)
    const canaries = { MASTER, PASSWORD, PLUGIN_SECRET, METRICS_TOKEN, key, session }
    const found = Object.entries(canaries).flatMap(([name, canary]) => [
      ...(log.includes(canary) ? [`${name} in the log`] : []),
      ...seen.filter((text) => text.includes(canary)).map((text) => `${name} in ${text.slice(0, 200)}`),
    ])
    expect(found).toEqual([])
    // In the database itself secrets are sealed, passwords and keys are digests.
    const files = readdirSync(dataDir).filter((name) => name.startsWith('huitou.db'))
    const raw = Buffer.concat(files.map((name) => readFileSync(path.join(dataDir, name))))
    const stored = Object.entries({ MASTER, PASSWORD, PLUGIN_SECRET, key })
    expect(stored.filter(([, canary]) => raw.includes(canary)).map(([name]) => name)).toEqual([])
    expect(made.answer.ok, made.text).toBe(true)
    {
      const database = openDatabase({ file: path.join(dataDir, 'huitou.db'), readers: 1 })
      const accounts = await database.db.selectFrom('channel_accounts').select('name').execute()
      expect(accounts.map(({ name }) => name)).toContain('Canary')
      await database.close()
    }
    rmSync(dataDir, { recursive: true, force: true })
    rmSync(backups, { recursive: true, force: true })
  },
)

test(
  'the address of a database with its password is told to nobody when it cannot be reached',
  { timeout: 60_000 },
  async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-canaries-url-'))
    const started = startServerProcess(dataDir, {
      env: { DATABASE_URL: 'postgres://huitou:canary-database-password@127.0.0.1:9/huitou' },
    })
    const failure = await started.then(
      () => '',
      (error: Error) => error.message,
    )
    expect(failure).not.toBe('')
    expect(failure).not.toContain('canary-database-password')
    rmSync(dataDir, { recursive: true, force: true })
  },
)
