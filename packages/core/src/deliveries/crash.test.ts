import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { engines } from '@huitou/testing'
import { createPostgresDatabase } from '@huitou/testing/postgres'
import { afterAll, expect, test } from 'vitest'
import { createCore } from '../core.ts'
import { openDatabase, transact, type Tx } from '../db/database.ts'
import { normalizeMessage } from '../events/normalize.ts'
import { createJourney, publishJourney } from '../journeys/queries.ts'
import { writeContactPolicy } from './policy.ts'
import { addHttpProvider, type HttpProvider, startHttpProvider } from '../../test/http-provider.ts'
import { addRecordingChannel } from '../../test/recording-channel.ts'

/** `HUITOU_CRASH_ROUNDS=200` for the long run; deliveries grow with it. */
const ROUNDS = Number(process.env['HUITOU_CRASH_ROUNDS'] ?? 2)
const CUSTOMERS = Math.max(300, ROUNDS * 50)
/** Nobody lives longer than for so many calls of the provider. */
const CALLS_OF_A_LIFE = 10
const LONGEST_LIFE_MS = 20_000
const START = Date.parse('2026-11-21T10:00:00+08:00')
const PROGRAM = path.join(import.meta.dirname, 'crash-child.ts')

const folder = mkdtempSync(path.join(tmpdir(), 'huitou-sending-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A shop whose customers all came in at once, and a journey that writes to each of them twice. */
async function prepare(place: string, url?: string): Promise<void> {
  const database = openDatabase(url ? { url, poolSize: 4 } : { file: `${place}/huitou.db`, readers: 1 })
  const core = await createCore({ database, dataDir: place, clock: { now: () => START } })
  addRecordingChannel(core.points)
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
      nodes: {
        one: {
          type: 'send',
          channel: 'test.channel/sms',
          content: { text: '1' },
          next: 'wait',
          expires: { days: 60 },
        },
        wait: { type: 'wait', for: { minutes: 1 }, next: 'two' },
        two: { type: 'send', channel: 'test.channel/sms', content: { text: '2' }, expires: { days: 60 } },
      },
    },
  })
  await publishJourney(core, id, 'test')
  const events = Array.from({ length: CUSTOMERS }, (_, index) => {
    const event = normalizeMessage(
      {
        type: 'track',
        event: 'visit',
        userId: `u${index}`,
        context: { traits: { phone: `+86139${String(index).padStart(8, '0')}` } },
        timestamp: START,
      },
      { source: 'test', receivedAt: START },
    )
    if (event instanceof Error) throw event
    return event
  })
  await core.events.append(events)
  await database.close()
}

function start(place: string, args: string[]): ChildProcess {
  return spawn(process.execPath, [PROGRAM, place, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/**
 * Kills each child at an instant of its own: before its first call of the provider, or in the middle of the calls that
 * it makes, however fast the machine is. Returns how many had not come to an end yet.
 */
async function killSoon(children: ChildProcess[], provider: HttpProvider): Promise<number> {
  const killed = await Promise.all(
    children.map(async (child) => {
      const exited = once(child, 'exit') as Promise<[number | null, string | null]>
      const isOver = () => child.exitCode !== null || child.signalCode !== null
      await Promise.race([exited, once(child.stdout as Readable, 'data')])
      const calls = provider.calls() + Math.floor(Math.random() * CALLS_OF_A_LIFE)
      const begun = performance.now()
      while (!isOver() && provider.calls() < calls && performance.now() - begun < LONGEST_LIFE_MS)
        await sleep(2)
      await sleep(Math.random() * 60)
      child.kill('SIGKILL')
      const [code, signal] = await exited
      if (signal === null && code !== 0) throw new Error(`A child failed by itself, with ${code}`)
      return signal === 'SIGKILL' ? 1 : 0
    }),
  )
  return killed.reduce<number>((sum, one) => sum + one, 0)
}

test.each(engines)(
  'killed at any moment, nobody is messaged twice and nobody is left out (%s)',
  { timeout: 60_000 + ROUNDS * 30_000 },
  async (engine) => {
    await using provider = await startHttpProvider()
    const postgres = engine === 'postgres' ? await createPostgresDatabase() : undefined
    const place = mkdtempSync(path.join(folder, engine))
    await prepare(place, postgres?.url)
    let [now, kills] = [START, 0]
    // On PostgreSQL two nodes share the work, and each dies when its time has come.
    const nodes = postgres ? 2 : 1
    for (let round = 0; round < ROUNDS; round++) {
      // The clock stands still while a message is on its way: nobody looks one up before it can have arrived.
      await provider.quiet()
      now += 45_000
      const args = [provider.url, String(now), ...(postgres ? [postgres.url] : [])]
      kills += await killSoon(
        Array.from({ length: nodes }, () => start(place, args)),
        provider,
      )
    }
    const open = await leaveAlone(place, { from: now, provider, url: postgres?.url })
    if (ROUNDS > 2) console.info(JSON.stringify({ engine, ROUNDS, kills, left: open, ...provider.moods }))
    const twice = [...provider.received].filter(([, times]) => times > 1)
    expect(twice).toEqual([])
    expect(provider.received.size).toBe(CUSTOMERS * 2)
    expect(await statesIn(place, postgres?.url)).toEqual({ delivered: CUSTOMERS * 2 })
    // Receipts that came twice are on the timeline once.
    expect(await toldIn(place, postgres?.url)).toEqual({
      'message.sent': CUSTOMERS * 2,
      'message.delivered': CUSTOMERS * 2,
    })
    await postgres?.drop()
  },
)

/**
 * Goes on undisturbed, until leases have run out, lost answers have been looked up and failures tried again. Returns
 * what the dead left behind.
 */
async function leaveAlone(
  place: string,
  { from, provider, url }: { from: number; provider: HttpProvider; url?: string | undefined },
): Promise<Record<string, number>> {
  const left = await statesIn(place, url)
  const database = openDatabase(url ? { url, poolSize: 4 } : { file: `${place}/huitou.db`, readers: 1 })
  let now = from
  const core = await createCore({ database, dataDir: place, clock: { now: () => now } })
  addHttpProvider(core.points, provider.url)
  for (let calm = 0; calm < 60; calm++) {
    await provider.quiet()
    now += 40 * 60_000
    await core.settle()
    if ((await statesIn(place, url))['delivered'] === CUSTOMERS * 2) break
  }
  await core.settle()
  await core.stop()
  await database.close()
  return left
}

async function statesIn(place: string, url?: string): Promise<Record<string, number>> {
  return await countsIn(place, url, (tx) =>
    tx
      .selectFrom('deliveries')
      .select(['state as name', (row) => row.fn.countAll<number>().as('count')])
      .groupBy('state')
      .execute(),
  )
}

/** What stands on timelines about messages. */
async function toldIn(place: string, url?: string): Promise<Record<string, number>> {
  return await countsIn(place, url, (tx) =>
    tx
      .selectFrom('timeline')
      .select(['name', (row) => row.fn.countAll<number>().as('count')])
      .where('name', 'like', 'message.%')
      .groupBy('name')
      .execute(),
  )
}

async function countsIn(
  place: string,
  url: string | undefined,
  count: (tx: Tx) => Promise<{ name: string; count: number }[]>,
): Promise<Record<string, number>> {
  const database = openDatabase(url ? { url, poolSize: 2 } : { file: `${place}/huitou.db`, readers: 1 })
  try {
    const rows = await transact(database.db, count)
    return Object.fromEntries(rows.map(({ name, count: n }) => [name, Number(n)]))
  } finally {
    await database.close()
  }
}
