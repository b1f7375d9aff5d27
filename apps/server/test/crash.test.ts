import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { createWriteKey, openDatabase, rewindProfiles, systemClock, transact } from '@huitou/core'
import { engines } from '@huitou/testing'
import { createPostgresDatabase } from '@huitou/testing/postgres'
import { describe, expect, test } from 'vitest'
import { openHuitou } from '../src/open-huitou.ts'

const KILLS = 2
const SENDERS = 4
const BATCH = 25
const CUSTOMERS = 40
const SECRET = 'a secret that only tests know, long enough'

interface Running {
  child: ChildProcess
  url: string
}

/** Starts the real server as a process of its own and waits until it answers. */
async function start(dataDir: string, databaseUrl: string | undefined): Promise<Running> {
  const main = path.join(import.meta.dirname, '../src/main.ts')
  const child = spawn(process.execPath, [main, 'serve', '--data', dataDir, '--port', '0', '--json'], {
    env: {
      ...process.env,
      HUITOU_LOG_LEVEL: 'silent',
      HUITOU_SECRET: SECRET,
      ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [
    string,
  ]
  return { child, url: (JSON.parse(line) as { url: string }).url }
}

const silent = { info: () => {}, warn: () => {}, error: () => {} }

describe.each(engines)('on %s', (engine) => {
  test(
    'kill -9 loses no acknowledged event, doubles none, and leaves profiles that a replay agrees with',
    { timeout: 300_000 },
    async () => {
      const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-crash-'))
      const postgres = engine === 'postgres' ? await createPostgresDatabase() : undefined
      const config = {
        dataDir,
        databaseUrl: postgres?.url,
        analyticsUrl: undefined,
        publicUrl: undefined,
        secret: SECRET,
        logLevel: 'silent',
      }
      let writeKey: string
      {
        await using huitou = await openHuitou({ config, log: silent })
        writeKey = (await createWriteKey(huitou.core.database.db, systemClock, 'crash')).key
      }
      const acknowledged = new Set<string>()
      let sent = 0
      const sendOnce = async (url: string): Promise<boolean> => {
        const batch = Array.from({ length: BATCH }, () => {
          const number = sent++
          return {
            type: 'track',
            event: 'Order Completed',
            messageId: `m${number}`,
            userId: `u${number % CUSTOMERS}`,
            properties: { order_id: `o${number}`, total: 1 },
          }
        })
        const again = () =>
          fetch(`${url}/v1/batch`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${writeKey}:`)}` },
            body: JSON.stringify({ batch }),
          }).then(
            (answer) => answer.ok,
            () => false,
          )
        // A careful sender repeats what it is not sure of.
        const ok = (await again()) && (await again())
        if (ok) for (const { messageId } of batch) acknowledged.add(messageId)
        return ok
      }
      for (let kill = 0; kill < KILLS; kill++) {
        const { child, url } = await start(dataDir, postgres?.url)
        const goal = acknowledged.size + BATCH * (2 + kill * 3)
        const senders = Array.from({ length: SENDERS }, async () => {
          while (child.exitCode === null && child.signalCode === null) {
            if (!(await sendOnce(url))) break
            if (acknowledged.size >= goal && child.signalCode === null) child.kill('SIGKILL')
          }
        })
        await Promise.all([once(child, 'exit'), ...senders])
        expect(child.signalCode).toBe('SIGKILL')
      }
      {
        await using huitou = await openHuitou({ config, log: silent })
        const { db } = huitou.core.database
        const stored = await db.selectFrom('events').select('message_id').execute()
        const ids = new Set(stored.map(({ message_id }) => message_id))
        expect(stored.length).toBe(ids.size)
        expect([...acknowledged].filter((id) => !ids.has(id))).toEqual([])
        await huitou.core.settle()
        const figures = () => db.selectFrom('profiles').selectAll().orderBy('key').execute()
        const before = await figures()
        expect(
          before.reduce(
            (sum, row) => sum + (row as unknown as { commerce_orders: number }).commerce_orders,
            0,
          ),
        ).toBe(ids.size)
        await transact(db, rewindProfiles)
        await huitou.core.settle()
        expect(await figures()).toEqual(before)
      }
      await postgres?.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  )
})

test('a folder that another Huitou wrote opens, and an unreadable one is named', async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-open-'))
  const config = {
    dataDir,
    databaseUrl: undefined,
    analyticsUrl: undefined,
    publicUrl: undefined,
    secret: SECRET,
    logLevel: 'silent',
  }
  await (await openHuitou({ config, log: silent }))[Symbol.asyncDispose]()
  await (await openHuitou({ config, log: silent }))[Symbol.asyncDispose]()
  const database = openDatabase({ file: path.join(dataDir, 'huitou.db') })
  await database.db
    .insertInto('huitou_migrations_core' as never)
    .values({ name: '9999_from_the_future', timestamp: '2030-01-01' } as never)
    .execute()
  await database.close()
  await expect(openHuitou({ config, log: silent })).rejects.toMatchObject({
    code: 'E_DATABASE_NEWER',
    hint: expect.stringContaining('version') as string,
  })
  rmSync(dataDir, { recursive: true, force: true })
})
