// How many events a second get onto the disk over HTTP, in batches of 100, from senders in another process.
// Reference: better-sqlite3 alone, in one process, inserting the same rows with the same indexes, 100 a transaction.
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { createWriteKey, normalizeMessage } from '@huitou/core'
import { startServer } from '@huitou/server'
import { openBareSqlite } from './harness/bare-sqlite.ts'
import { scratchFolder } from './harness/fixtures.ts'
import { engine, numberArgument, openBench } from './harness/huitou.ts'
import { median, printResult } from './harness/result.ts'
import { orderMessage } from './harness/order-message.ts'

const BATCH = 100
const seconds = numberArgument('seconds', 5)
const rounds = numberArgument('rounds', 3)
const connections = numberArgument('connections', 16)

const ingested: number[] = []
const bare: number[] = []
const cpu = { server: [] as number[], bare: [] as number[] }
// Taking turns, so that a machine that gets busier is busier for both.
for (let round = 0; round < rounds; round++) {
  bare.push(bareLoop())
  ingested.push(await overHttp())
}
printResult({
  bench: 'ingest',
  metric: 'durable over HTTP, batches of 100',
  value: median(ingested),
  unit: 'events/s',
  reference: median(bare),
  budget: '≥ 60 % of the reference and ≥ 10,000/s',
  engine,
  runs: ingested.map(Math.round),
  referenceRuns: bare.map(Math.round),
  // What one event costs the processor, the server against the loop: hardly depends on what else the machine does.
  cpuMicroseconds: Number(median(cpu.server).toFixed(1)),
  referenceCpuMicroseconds: Number(median(cpu.bare).toFixed(1)),
})

async function overHttp(): Promise<number> {
  await using bench = await openBench()
  const { core } = bench.huitou
  const { key } = await createWriteKey(core.database.db, core.clock, 'benchmark')
  const server = await startServer(bench.huitou, { port: 0, host: '127.0.0.1', version: '0.0.0' })
  const before = process.cpuUsage()
  const sender = fork(path.join(import.meta.dirname, 'harness/ingest-sender.ts'), [
    server.url,
    key,
    String(connections),
    String(seconds),
  ])
  const { accepted, ms } = await new Promise<{ accepted: number; ms: number }>((resolve, reject) => {
    sender.once('message', (message) => resolve(message as { accepted: number; ms: number }))
    sender.once('exit', (code) => reject(new Error(`The sender ended with ${code}`)))
  })
  cpu.server.push(cpuSince(before) / accepted)
  const { stored } = await core.database.db
    .selectFrom('events')
    .select(({ fn }) => fn.countAll<number>().as('stored'))
    .executeTakeFirstOrThrow()
  if (stored < accepted) throw new Error(`${accepted} events were acknowledged, ${stored} are stored`)
  await server.close()
  return accepted / (ms / 1_000)
}

function bareLoop(): number {
  using scratch = scratchFolder()
  const database = openBareSqlite(path.join(scratch.path, 'bare.db'))
  database.exec(`create table events (seq integer primary key autoincrement, message_id text not null, source text not null, type text not null,
    name text, ts bigint not null, received_at bigint not null, version bigint not null, body text not null, tx bigint not null default 0)`)
  database.exec('create unique index events_message on events (message_id, source)')
  const columns = ['message_id', 'source', 'type', 'name', 'ts', 'received_at', 'version', 'body']
  const insert = database.prepare(
    `insert into events (${columns.join()}) values (${columns.map(() => '?').join()}) on conflict (message_id, source) do nothing`,
  )
  let rows = 0
  let spent = 0
  let spentCpu = 0
  while (spent < seconds * 1_000) {
    const batch = makeRows(rows)
    const started = performance.now()
    const before = process.cpuUsage()
    database.exec('begin immediate')
    for (const row of batch) insert.run(row)
    database.exec('commit')
    spent += performance.now() - started
    spentCpu += cpuSince(before)
    rows += BATCH
  }
  cpu.bare.push(spentCpu / rows)
  database.close()
  return rows / (spent / 1_000)
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Made outside the measured time: parsing and checking are what Huitou adds. */
function makeRows(from: number): unknown[][] {
  return Array.from({ length: BATCH }, (_, index) => {
    const event = normalizeMessage(
      { ...orderMessage(from + index), messageId: randomUUID() },
      { source: 'bench', receivedAt: Date.now() },
    )
    if (event instanceof Error) throw event
    return [
      event.message_id,
      event.source,
      event.type,
      event.name,
      event.ts,
      Date.now(),
      event.version,
      event.body,
    ]
  })
}
