// What a backup costs those who send events meanwhile, and whether what comes out of it is what went in. The server runs
// here, the sender, `huitou backup` and `huitou restore` in processes of their own. `--gigabytes 5` for the size
// that is promised; the folder needs four times as much room. SQLite only: PostgreSQL's copy is made by its own tools.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createWriteKey, inspectSqlite, type NewEvent } from '@huitou/core'
import { startServer } from '@huitou/server'
import { scratchFolder } from './harness/fixtures.ts'
import { benchSecret, engine, numberArgument, openBench } from './harness/huitou.ts'
import { printResult } from './harness/result.ts'

interface Sent {
  accepted: number
  failed: number
  waits: number[]
  /** The longest wait, and how long after the beginning it began. */
  longest: { ms: number; after: number }
  ms: number
}

interface Manifest {
  files: { path: string; bytes: number; sha256: string }[]
  tables: Record<string, { rows: number; sum: string }>
}

const gigabytes = numberArgument('gigabytes', 0.25)
const seconds = numberArgument('seconds', 20)
const perSecond = numberArgument('batches', 10)
const BODY = 'x'.repeat(3_800)
const main = path.join(path.dirname(createRequire(import.meta.url).resolve('@huitou/server')), 'main.ts')

if (engine !== 'sqlite') throw new Error('This benchmark is for SQLite: PostgreSQL’s copy is made by pg_dump')
using scratch = scratchFolder()
const folder = path.join(scratch.path, 'data')
await using bench = await openBench({ folder })
const { core } = bench.huitou
await fill()
const bytes = statSync(path.join(folder, 'huitou.db')).size
const { key } = await createWriteKey(core.database.db, core.clock, 'benchmark')
const server = await startServer(bench.huitou, { port: 0, host: '127.0.0.1', version: '0.0.0' })

const quiet = await sendDuring(() => sleep(seconds * 1_000))
const before = await countEvents()
let backupMs = 0
const during = await sendDuring(async () => {
  const begun = performance.now()
  await huitou('backup', '--data', folder, '--to', path.join(scratch.path, 'backups'))
  backupMs = performance.now() - begun
})
await server.close()
const [name = ''] = readdirSync(path.join(scratch.path, 'backups'))
const backup = path.join(scratch.path, 'backups', name)
const again = path.join(scratch.path, 'again')

const common = {
  bench: 'backup',
  unit: 'ms',
  engine,
  gigabytes: Number((bytes / 1e9).toFixed(2)),
  eventsPerSecond: perSecond * 100,
}
printResult({
  ...common,
  metric: '99 of 100 batches answered within, while a backup is made',
  value: quantile(during.waits, 0.99),
  reference: quantile(quiet.waits, 0.99),
  median: Math.round(quantile(during.waits, 0.5)),
  referenceMedian: Math.round(quantile(quiet.waits, 0.5)),
  longest: Math.round(during.longest.ms),
  longestAfterMs: Math.round(during.longest.after),
  backupMs: Math.round(backupMs),
  referenceLongest: Math.round(quiet.longest.ms),
  accepted: during.accepted,
  failed: during.failed,
})
printResult({
  ...common,
  metric: 'backup, read back before it counts',
  value: backupMs,
  megabytesPerSecond: Math.round(bytes / 1e6 / (backupMs / 1_000)),
})
const begun = performance.now()
await huitou('restore', backup, '--data', again)
const restoreMs = performance.now() - begun
printResult({
  ...common,
  metric: 'restore, read before and compared after',
  value: restoreMs,
  megabytesPerSecond: Math.round(bytes / 1e6 / (restoreMs / 1_000)),
  ...(await compareWithManifest()),
})

/** Rows as they come from a shop, larger than most, until the file has the size that is asked for. */
async function fill(): Promise<void> {
  const { events } = core
  for (let count = 0; ; count += 2_000) {
    if (statSync(path.join(folder, 'huitou.db')).size >= gigabytes * 1e9) return
    const now = Date.now()
    const rows = Array.from({ length: 2_000 }, (_, index): NewEvent => {
      const id = count + index
      return {
        message_id: `fill-${id}`,
        source: 'fill',
        type: 'track',
        name: 'Shelf Seen',
        ts: now - id,
        version: 1,
        body: JSON.stringify({ userId: `u${id % 50_000}`, properties: { shelf: id, text: BODY } }),
      }
    })
    await events.append(rows)
  }
}

async function sendDuring(work: () => Promise<unknown>): Promise<Sent> {
  const script = path.join(import.meta.dirname, 'harness/paced-sender.ts')
  const sender = fork(script, [server.url, key, String(perSecond)])
  const told = new Promise<Sent>((resolve, reject) => {
    sender.once('message', (message) => resolve(message as Sent))
    sender.once('exit', (code) => reject(new Error(`The sender ended with ${code}`)))
  })
  await work()
  sender.send('stop')
  return await told
}

async function countEvents(): Promise<number> {
  const row = await core.database.db
    .selectFrom('events')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  return Number(row.n)
}

async function huitou(...args: string[]): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, HUITOU_SECRET: benchSecret, HUITOU_LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`huitou ${args[0]} ended with ${code}`)
}

/** The restored file by its checksum, its tables by theirs, and every event that was there when the backup began. */
async function compareWithManifest() {
  const manifest = JSON.parse(readFileSync(path.join(backup, 'backup.json'), 'utf8')) as Manifest
  const file = manifest.files.find((each) => each.path === 'huitou.db')
  const restored = path.join(again, 'huitou.db')
  const { problems, tables } = await inspectSqlite(restored, { tables: Object.keys(manifest.tables) })
  const differing = Object.entries(manifest.tables).filter(
    ([table, { rows, sum }]) => tables[table]?.rows !== rows || tables[table].sum !== sum,
  )
  const events = tables['events']?.rows ?? 0
  if (problems.length + differing.length > 0 || events < before)
    throw new Error(`The restored copy differs: ${JSON.stringify({ problems, differing, events, before })}`)
  return {
    sameFile: (await digestOf(restored)) === file?.sha256,
    sameTables: Object.keys(manifest.tables).length,
    events,
    eventsBefore: before,
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
