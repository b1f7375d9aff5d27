// How many steps of journeys are taken in a second, what a hundred thousand people who wait cost, and how long it takes
// from an event to the delivery in the channel's hands.
// Reference: the same rows written by one prepared statement each on bare better-sqlite3, in transactions of the same size.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Core, createCore, normalizeMessage, openDatabase } from '@huitou/core'
import { writeContactPolicy } from '@huitou/core/deliveries/policy'
import { createJourney, publishJourney } from '@huitou/core/journeys/queries'
import { startPostgres } from '@huitou/testing/postgres-server'
import { openBareSqlite } from './harness/bare-sqlite.ts'
import { engine, numberArgument } from './harness/huitou.ts'
import { median, printResult, timed } from './harness/result.ts'

const customers = numberArgument('customers', 100_000)
const seconds = numberArgument('seconds', 10)
const rate = numberArgument('rate', 500)
const HOUR = 3_600_000

const folder = mkdtempSync(path.join(tmpdir(), 'huitou-bench-journeys-'))
const server = engine === 'postgres' ? await startPostgres() : undefined
const database = openDatabase(
  server ? { url: server.url } : { file: path.join(folder, 'huitou.db'), readers: 1 },
)
let skew = 0
const core = await createCore({ database, dataDir: folder, clock: { now: () => Date.now() + skew } })
const handedOver = new Map<string, number>()
addChannel(core)
await writeContactPolicy(database.db, {
  quietHours: null,
  caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
  budgets: [],
  fatigue: null,
  consentNeeded: [],
})

await publish('steps', {
  trigger: { type: 'event', event: 'bench.step' },
  holdout: { percent: 0 },
  start: 'a',
  nodes: {
    a: { type: 'wait', for: { hours: 1 }, next: 'b' },
    b: { type: 'branch', cases: [{ where: [{ property: 'big', op: 'true' }], next: 'c' }], otherwise: 'c' },
    c: { type: 'wait', for: { hours: 1 }, next: 'd' },
    d: {
      type: 'split',
      arms: [
        { name: 'x', weight: 1, next: 'e' },
        { name: 'y', weight: 1, next: 'e' },
      ],
    },
    e: { type: 'wait', for: { days: 30 } },
  },
})
await append(customers, 'bench.step', 'c')
while (await core.profiles.advance()) continue
const enrolling = await timed(settleJourneys)
const idle = median(await times(20, () => core.journeys.advance()))
skew += HOUR + 1_000
const first = await timed(settleJourneys)
skew += HOUR + 1_000
const second = await timed(settleJourneys)
// Each hour a wait ends, one step follows, and the next wait begins.
const steps = customers * 4
printResult({
  bench: 'journeys',
  metric: `steps of ${customers} customers`,
  value: Math.round(steps / ((first + second) / 1_000)),
  unit: 'steps/s',
  reference: bareSteps(),
  budget: '>= 5,000/s',
  engine,
  enrolledPerSecond: Math.round(customers / (enrolling / 1_000)),
  idleMs: Number(idle.toFixed(2)),
})

await publish('latency', {
  trigger: { type: 'event', event: 'bench.hello', key: 'n' },
  holdout: { percent: 0 },
  start: 'hi',
  nodes: {
    hi: { type: 'send', channel: 'bench.channel/push', content: { text: '{{event.n}}' }, purpose: 'service' },
  },
})
core.start()
const accepted = new Map<string, number>()
for (let sent = 0, begun = performance.now(); sent < rate * seconds;) {
  const due = Math.min(rate * seconds, Math.floor(((performance.now() - begun) / 1_000) * rate))
  if (due > sent) {
    const from = sent
    sent = due
    const events = Array.from({ length: due - from }, (_, index) =>
      toEvent('bench.hello', `l${(from + index) % 2_000}`, from + index),
    )
    await core.events.append(events)
    const at = performance.now()
    for (let index = from; index < due; index++) accepted.set(String(index), at)
  }
  await sleep(5)
}
for (let waited = 0; handedOver.size < rate * seconds && waited < 60_000; waited += 50) await sleep(50)
const latencies = [...accepted]
  .map(([n, at]) => (handedOver.get(n) ?? Infinity) - at)
  .toSorted((a, b) => a - b)
printResult({
  bench: 'journeys',
  metric: `event accepted to delivery handed over, ${rate} events/s`,
  value: Math.round(latencies[Math.floor(latencies.length / 2)] ?? Infinity),
  unit: 'ms',
  budget: 'p50 < 300 ms, p99 < 1.5 s',
  engine,
  p99: Math.round(latencies[Math.floor(latencies.length * 0.99)] ?? Infinity),
  missing: latencies.filter((each) => each === Infinity).length,
})
await core.stop()
await database.close()
await server?.stop()
rmSync(folder, { recursive: true, force: true })

async function settleJourneys(): Promise<void> {
  while (await core.journeys.advance()) continue
}

async function times(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const took: number[] = []
  for (let index = 0; index < count; index++) took.push(await timed(work))
  return took.toSorted((a, b) => a - b)
}

async function publish(name: string, definition: object): Promise<void> {
  const { id } = await createJourney(core, { name, definition })
  await publishJourney(core, id, 'bench')
}

function toEvent(name: string, userId: string, n: number) {
  const event = normalizeMessage(
    {
      type: 'track',
      event: name,
      userId,
      properties: { n: String(n) },
      context: { externalIds: [{ type: 'push_token', id: `t-${userId}` }] },
    },
    { source: 'bench', receivedAt: Date.now() + skew },
  )
  if (event instanceof Error) throw event
  return event
}

async function append(count: number, name: string, prefix: string): Promise<void> {
  for (let from = 0; from < count; from += 5_000)
    await core.events.append(
      Array.from({ length: Math.min(5_000, count - from) }, (_, index) =>
        toEvent(name, `${prefix}${from + index}`, from + index),
      ),
    )
}

function addChannel({ points }: Core): void {
  const owner = { plugin: 'bench.channel', prefix: 'bench', text: (text: unknown) => text as never }
  points.channels.add(owner, 'bench.channel/push', {
    id: 'push',
    title: 'Push',
    messages: ['text'],
    guarantee: 'pushed',
    address: 'push_token',
    content: { type: 'object' },
    run: {
      send({ deliveries }) {
        const at = performance.now()
        for (const { content } of deliveries) handedOver.set(String(content['text']), at)
        return deliveries.map(({ key }) => ({ key, outcome: 'sent' as const, providerId: key }))
      },
    },
  })
}

function bareSteps(): number {
  const bare = openBareSqlite(path.join(folder, 'bare.db'))
  bare.exec('create table enrolments (id integer primary key, node text, visit integer, due_at integer)')
  bare.exec('create index due on enrolments (due_at) where due_at is not null')
  bare.exec(
    'create table steps (enrolment_id integer, visit integer, node text, at integer, outcome text, primary key (enrolment_id, visit))',
  )
  const insert = bare.prepare('insert into enrolments values (?, ?, 0, ?)')
  bare.exec('begin')
  for (let id = 1; id <= customers; id++) insert.run(id, 'a', id)
  bare.exec('commit')
  const update = bare.prepare('update enrolments set node = ?, visit = ?, due_at = ? where id = ?')
  const step = bare.prepare('insert into steps values (?, ?, ?, ?, ?)')
  const started = performance.now()
  for (let from = 1; from <= customers; from += 2_000) {
    bare.exec('begin immediate')
    for (let id = from; id < Math.min(from + 2_000, customers + 1); id++) {
      update.run('c', 2, id + 1_000_000, id)
      step.run(id, 0, 'a', id, 'waited')
      step.run(id, 1, 'b', id, 'otherwise')
    }
    bare.exec('commit')
  }
  const perSecond = (customers * 2) / ((performance.now() - started) / 1_000)
  bare.close()
  return Math.round(perSecond)
}
