import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPostgresDatabase } from '@huitou/testing/postgres'
import type { Kysely } from 'kysely'
import { expect, test } from 'vitest'
import { createCore } from '../core.ts'
import { openDatabase } from '../db/database.ts'
import { normalizeMessage } from '../events/normalize.ts'
import { importFiles } from '../imports/import-folder.ts'

/** Erasures that are killed again and again. Each round is another instant; in a long run there are many. */
const ROUNDS = Number(process.env['HUITOU_ERASURE_ROUNDS'] ?? 1)
/** On PostgreSQL what counts is the same, and starts slowly. */
const ENGINES = process.env['HUITOU_ERASURE_ROUNDS']
  ? (['sqlite', 'postgres'] as const)
  : (['sqlite'] as const)
const KILLS = process.env['HUITOU_ERASURE_ROUNDS'] ? 4 : 2
const EVENTS = 1_500
const MARKS = ['canary-7731', '13900007731', 'canary7731@example.cn', '金丝雀七七三一']

test.each(ENGINES)(
  'killed at any instant, an erasure ends after all, and nothing of the customer is left (%s)',
  { timeout: 60_000 + ROUNDS * 60_000 },
  async (engine) => {
    for (let round = 0; round < ROUNDS; round++) {
      const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-erasure-'))
      const postgres = engine === 'postgres' ? await createPostgresDatabase() : undefined
      const others = await fill(dataDir, postgres?.url)
      let state = ''
      for (let attempt = 0; state !== 'done'; attempt++) {
        const child = start(dataDir, postgres?.url)
        const said = listen(child)
        if (attempt < KILLS) {
          await said.ready
          // These waits are the instants: any is as good as another.
          await sleep(Math.random() * (attempt === 0 ? 60 : 250))
          child.kill('SIGKILL')
        }
        await said.ended
        state = said.last()
        expect(attempt).toBeLessThan(KILLS + 2)
      }
      await lookInto({ dataDir, url: postgres?.url, others })
      await postgres?.drop()
      rmSync(dataDir, { recursive: true, force: true })
    }
  },
)

function start(dataDir: string, url: string | undefined): ChildProcess {
  const program = path.join(import.meta.dirname, 'crash-child.ts')
  return spawn(process.execPath, [program, dataDir, ...(url ? [url] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function listen(child: ChildProcess) {
  const lines: string[] = []
  const ready = Promise.withResolvers<void>()
  child.stdout?.on('data', (chunk: Buffer) => {
    lines.push(...chunk.toString().trim().split('\n'))
    ready.resolve()
  })
  const ended = once(child, 'exit')
  return { ready: Promise.race([ready.promise, ended]), ended, last: () => lines.at(-1) ?? '' }
}

/** A customer with much behind them, and two others. Returns what is stored of the others. */
async function fill(dataDir: string, url: string | undefined): Promise<string[]> {
  const database = open(dataDir, url)
  const core = await createCore({ database, dataDir })
  const person = { phone: MARKS[1], email: MARKS[2], name: MARKS[3] }
  const messages = [
    { type: 'identify', userId: MARKS[0], traits: person },
    ...Array.from({ length: EVENTS }, (_, index) => ({
      type: 'track',
      event: 'order.paid',
      userId: index % 50 === 0 ? `other-${index % 100}` : MARKS[0],
      messageId: `m${index}`,
      properties: index % 50 === 0 ? { total: index } : { total: index, receiver: person },
    })),
  ]
  await core.events.append(
    messages.map((message) => {
      const event = normalizeMessage(message, { source: 'test', receivedAt: 1_790_000_000_000 })
      if (event instanceof Error) throw event
      return event
    }),
  )
  await core.settle()
  mkdirSync(path.join(dataDir, 'imports'), { recursive: true })
  writeFileSync(importFiles(dataDir, 'x').problems, `row,phone\n1,13811112222\n2,${MARKS[1]}\n`)
  const others = await readOthers(database.db)
  await database.close()
  return others
}

async function lookInto({
  dataDir,
  url,
  others,
}: {
  dataDir: string
  url: string | undefined
  others: string[]
}): Promise<void> {
  const database = open(dataDir, url)
  const { db } = database
  const tables = await db.introspection.getTables()
  for (const { name } of tables) {
    const rows = await (db as unknown as Kysely<any>).selectFrom(name).selectAll().execute()
    for (const row of rows)
      expect(holdsAny(JSON.stringify(row)), `${name} ${JSON.stringify(row)}`).toBe(false)
  }
  expect(await readOthers(db)).toEqual(others)
  const erasures = await db.selectFrom('erasures').select('state').execute()
  expect(erasures).toEqual([{ state: 'done' }])
  await database.close()
  // In no file either, the database's log included; within its pages SQLite may leave what it moved about.
  for (const entry of readdirSync(dataDir, { withFileTypes: true, recursive: true }))
    if (entry.isFile() && entry.name !== 'huitou.db') {
      const file = path.join(entry.parentPath, entry.name)
      expect(holdsAny(readFileSync(file, 'latin1')), file).toBe(false)
    }
}

function open(dataDir: string, url: string | undefined) {
  return openDatabase(url ? { url, poolSize: 4 } : { file: path.join(dataDir, 'huitou.db'), readers: 1 })
}

async function readOthers(db: ReturnType<typeof open>['db']): Promise<string[]> {
  const events = await db
    .selectFrom('timeline')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .innerJoin('profiles', 'profiles.customer_id', 'timeline.customer_id')
    .where('profiles.key', 'like', 'other-%')
    .select(['profiles.key', 'events.message_id', 'events.body'])
    .orderBy('timeline.seq')
    .execute()
  return events.map((row) => JSON.stringify(row))
}

function holdsAny(text: string): boolean {
  return MARKS.some((mark) => text.includes(mark) || text.includes(Buffer.from(mark).toString('latin1')))
}
