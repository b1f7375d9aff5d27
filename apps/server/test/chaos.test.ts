import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createCore,
  createWriteKey,
  type Database,
  listStageClaims,
  openDatabase,
  systemClock,
} from '@huitou/core'
import { createJourney, publishJourney } from '@huitou/core/journeys/queries'
import { writeContactPolicy } from '@huitou/core/deliveries/policy'
import { type DurablePostgres, startDurablePostgres } from '@huitou/testing/durable-postgres'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { type CountingProvider, startCountingProvider, writeCountingPlugin } from './counting-provider.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** `HUITOU_CHAOS_ROUNDS=5` for the long run, with the silence that servers have by default. */
const ROUNDS = Number(process.env['HUITOU_CHAOS_ROUNDS'] ?? 0)
const SILENCE_S = ROUNDS > 0 ? 15 : 3
/** Work has to be going on elsewhere after so long. */
const MOVE_MS = 30_000
const CHANNEL = 'test.counting/sms'
const SECRET = 'a secret that only tests know, long enough'
/** Events a second, all the while: what waited must not be more than a small machine works off in its time. */
const PACE = ROUNDS > 0 ? 15 : 25

interface Node {
  child: ChildProcess
  url: string
  id: string
  proxy: TcpProxy
  dataDir: string
}

interface World {
  folder: string
  postgres: DurablePostgres
  /** Straight to the database, whichever it is. */
  database: Database
  provider: CountingProvider
  plugin: string
  writeKey: string
  nodes: Node[]
  /** Customers whose event was acknowledged. */
  acknowledged: Set<string>
  moved: Record<string, number[]>
}

const log = { info: () => {}, warn: () => {}, error: () => {} }

async function openWorld(): Promise<World> {
  const folder = mkdtempSync(path.join(tmpdir(), 'huitou-chaos-'))
  const [postgres, provider] = await Promise.all([startDurablePostgres(), startCountingProvider()])
  const database = openDatabase({ url: postgres.url(), poolSize: 3 })
  const core = await createCore({ database, dataDir: folder, log, secret: SECRET })
  core.points.channels.add(
    {
      plugin: 'test.counting',
      prefix: 'counting',
      text: (text) => ({ en: String(text), 'zh-CN': String(text) }),
    },
    CHANNEL,
    {
      id: 'sms',
      title: 'SMS',
      messages: ['text'],
      guarantee: 'pushed',
      address: 'user_id',
      content: { type: 'object' },
      run: { send: () => Promise.reject(new Error('Not from here')) },
    },
  )
  await writeContactPolicy(database.db, {
    quietHours: null,
    caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
    budgets: [],
    fatigue: null,
    consentNeeded: [],
  })
  const { id } = await createJourney(core, {
    name: 'Hello',
    definition: {
      trigger: { type: 'event', event: 'visit' },
      holdout: { percent: 0 },
      start: 'one',
      nodes: { one: { type: 'send', channel: CHANNEL, content: { text: 'Hello' }, expires: { days: 60 } } },
    },
  })
  await publishJourney(core, id, 'test')
  const { key } = await createWriteKey(database.db, systemClock, 'chaos')
  return {
    folder,
    postgres,
    database,
    provider,
    plugin: writeCountingPlugin(path.join(folder, 'plugin'), provider.url),
    writeKey: key,
    nodes: [],
    acknowledged: new Set(),
    moved: {},
  }
}

/** Starts a real server, with a wire of its own to the database. */
async function startNode(world: World, target = world.postgres.port): Promise<Node> {
  const proxy = await startTcpProxy(target)
  const dataDir = mkdtempSync(path.join(world.folder, 'node-'))
  const main = path.join(import.meta.dirname, '../src/main.ts')
  const before = new Set((await listNodeIds(world)).keys())
  const args = [main, 'serve', '--data', dataDir, '--port', '0', '--json', '--plugin', world.plugin]
  const child = spawn(process.execPath, args, {
    env: {
      ...process.env,
      HUITOU_LOG_LEVEL: process.env['HUITOU_CHAOS_LOG'] ?? 'silent',
      HUITOU_SECRET: SECRET,
      HUITOU_NODE_SILENCE: String(SILENCE_S),
      DATABASE_URL: world.postgres.url(proxy.port),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as [string]
  const { url } = JSON.parse(line) as { url: string }
  const id = [...(await listNodeIds(world))].find(
    ([each, pid]) => !before.has(each) && pid === child.pid,
  )?.[0]
  const node = { child, url, proxy, dataDir, id: id ?? '' }
  world.nodes.push(node)
  return node
}

async function listNodeIds({ database }: World): Promise<Map<string, number>> {
  const rows = await database.db.selectFrom('nodes').select(['id', 'pid']).execute()
  return new Map(rows.map(({ id, pid }) => [id, pid]))
}

/** A customer comes by. A careful shop asks again, and another server, until it has an answer. */
async function visit(world: World, customer: string, patience = 60_000): Promise<void> {
  const begun = performance.now()
  for (let turn = Math.floor(Math.random() * 100); performance.now() - begun < patience; turn++) {
    const node = world.nodes[turn % world.nodes.length] as Node
    const ok = await fetch(`${node.url}/v1/track`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${world.writeKey}:`)}` },
      body: JSON.stringify({ event: 'visit', messageId: `m-${customer}`, userId: customer }),
      signal: AbortSignal.timeout(3_000),
    }).then(
      async (answer) => {
        await answer.arrayBuffer()
        return answer.ok
      },
      () => false,
    )
    if (ok) return void world.acknowledged.add(customer)
    await sleep(50)
  }
}

/** Customers who keep coming until `stop`. */
function load(world: World) {
  let [running, count] = [true, 0]
  const under = new Set<Promise<void>>()
  const ended = (async () => {
    while (running) {
      const one = visit(world, `c${count++}`).finally(() => under.delete(one))
      under.add(one)
      await sleep(1_000 / PACE)
    }
    await Promise.all(under)
  })()
  return {
    async stop() {
      running = false
      await ended
    },
  }
}

let probes = 0

/**
 * Lets something go wrong, and measures until the work goes on: somebody who comes after it has been folded and met by
 * the journey, and messages go out again. How long what waited meanwhile then takes is a matter of the machine.
 */
async function survive(world: World, what: string, harm: () => Promise<unknown> | unknown): Promise<void> {
  const begun = performance.now()
  await harm()
  const customer = `probe${probes++}`
  await visit(world, customer)
  let sent = Number.POSITIVE_INFINITY
  while (world.provider.written.size <= sent && !world.provider.written.has(customer)) {
    const took = performance.now() - begun
    if (took > MOVE_MS)
      throw new Error(`${what}: nothing moves after ${Math.round(took)} ms: ${await state(world)}`)
    if (sent === Number.POSITIVE_INFINITY && (await isMet(world, customer)))
      sent = world.provider.written.size
    await sleep(50)
  }
  const took = Math.round(performance.now() - begun)
  ;(world.moved[what] ??= []).push(took)
  expect(took, what).toBeLessThan(MOVE_MS)
}

/** Whether profiles and journeys have passed somebody's event. */
async function isMet({ database: { db } }: World, customer: string): Promise<boolean> {
  const event = await db
    .selectFrom('events')
    .select('seq')
    .where('message_id', '=', `m-${customer}`)
    .executeTakeFirstOrThrow()
  const passed = await db
    .selectFrom('cursors')
    .select('name')
    .where('name', 'in', ['profiles', 'journeys:events'])
    .where('position', '>=', event.seq)
    .execute()
  return passed.length === 2
}

async function state({ database: { db } }: World): Promise<string> {
  const nodes = await db.selectFrom('nodes').select(['id', 'pid', 'seen_at', 'dead_at', 'missing']).execute()
  const cursors = await db.selectFrom('cursors').select(['name', 'position']).execute()
  const deliveries = await db
    .selectFrom('deliveries')
    .select(['state', 'reason', (row) => row.fn.countAll<number>().as('count')])
    .groupBy(['state', 'reason'])
    .execute()
  const { rows: busy } = await sql`
    select pid, state, wait_event, pg_blocking_pids(pid) as blockers, now() - xact_start as age, left(query, 60) as query
      from pg_stat_activity where state <> 'idle' and pid <> pg_backend_pid()`.execute(db)
  return JSON.stringify({ busy, deliveries, nodes, claims: await listStageClaims(db), cursors })
}

/** The node that has most to do with what goes on. */
async function holder(world: World, stage: string): Promise<Node> {
  for (let tries = 0; tries < 200; tries++) {
    const claims = await listStageClaims(world.database.db)
    const id = claims.find((claim) => claim.stage === stage)?.nodeId
    const node = world.nodes.find((each) => each.id === id)
    if (node) return node
    await sleep(50)
  }
  throw new Error(`Nobody has ${stage}: ${await state(world)}`)
}

async function killOne(world: World): Promise<void> {
  const victim = await holder(world, 'profiles')
  world.nodes.splice(world.nodes.indexOf(victim), 1)
  await survive(world, 'killed', () => victim.child.kill('SIGKILL'))
  await victim.proxy[Symbol.asyncDispose]()
}

async function pauseOne(world: World): Promise<void> {
  const sleeper = await holder(world, 'journeys')
  await survive(world, 'paused', () => sleeper.child.kill('SIGSTOP'))
  sleeper.child.kill('SIGCONT')
}

async function cutOne(world: World): Promise<void> {
  const lonely = await holder(world, 'profiles')
  await survive(world, 'cut off', () => lonely.proxy.cut())
  lonely.proxy.mend()
}

/** Everybody who came was written to, and nobody twice. */
async function settle(world: World): Promise<void> {
  const { database, acknowledged, provider } = world
  const begun = performance.now()
  for (;;) {
    const missing = [...acknowledged].filter((customer) => !provider.written.has(customer))
    if (missing.length === 0) break
    if (performance.now() - begun > 90_000)
      throw new Error(
        `Nobody wrote to ${missing.length}, ${missing.slice(0, 5).join()}: ${await state(world)}`,
      )
    // Calls that a dead node had begun are looked up when their lease is over; here that is at once.
    await database.db
      .updateTable('deliveries')
      .set({ leased_until: 1 })
      .where('state', '=', 'leased')
      .where('leased_until', '<', Date.now() + 60_000)
      .execute()
    await database.db
      .updateTable('deliveries')
      .set({ due_at: 1 })
      .where('state', 'in', ['planned', 'unknown'])
      .execute()
    await sleep(500)
  }
  const stored = await database.db
    .selectFrom('events')
    .select('message_id')
    .where('name', '=', 'visit')
    .execute()
  const ids = new Set(stored.map(({ message_id }) => message_id))
  expect(stored.length).toBe(ids.size)
  expect([...acknowledged].filter((customer) => !ids.has(`m-${customer}`))).toEqual([])
  expect([...provider.received].filter(([, times]) => times > 1)).toEqual([])
  expect([...provider.written].filter(([, times]) => times > 1)).toEqual([])
}

test(
  'servers die, sleep and lose their database: no event is lost, nobody is written to twice, work goes on elsewhere',
  { timeout: 120_000 + ROUNDS * 600_000 },
  async () => {
    const world = await openWorld()
    const { postgres, provider, nodes } = world
    try {
      await Promise.all([startNode(world), startNode(world), startNode(world)])
      await survive(world, 'nothing', () => {})
      const customers = load(world)
      for (let round = 0; round < Math.max(1, ROUNDS); round++) {
        await killOne(world)
        const started = startNode(world)
        // In the long form three are there again before the next harm; the short form has no time for that.
        if (ROUNDS > 0) await started
        await Promise.all([started, pauseOne(world)])
        await cutOne(world)
        await survive(world, 'database restarted', () => postgres.restart())
      }
      const standby = await postgres.addStandby()
      await survive(world, 'database failed over', async () => {
        await standby.takeOver()
        await world.database.close()
        world.database = openDatabase({ url: postgres.url(standby.port), poolSize: 3 })
        for (const { proxy } of nodes) proxy.retarget(standby.port)
      })
      await customers.stop()
      await settle(world)
      console.info(
        JSON.stringify({ ROUNDS, SILENCE_S, customers: world.acknowledged.size, moved: world.moved }),
      )
    } finally {
      for (const { child } of nodes) child.kill('SIGKILL')
      for (const { proxy } of nodes) await proxy[Symbol.asyncDispose]()
      await world.database.close()
      await provider[Symbol.asyncDispose]()
      await postgres.stop()
      rmSync(world.folder, { recursive: true, force: true })
    }
  },
)
