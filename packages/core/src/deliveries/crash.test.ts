import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { engines } from '@huitou/testing'
import { createPostgresDatabase } from '@huitou/testing/postgres'
import { afterAll, expect, test } from 'vitest'
import { createCore } from '../core.ts'
import { openDatabase, transact } from '../db/database.ts'
import { normalizeMessage } from '../events/normalize.ts'
import { createJourney, publishJourney } from '../journeys/queries.ts'
import { writeContactPolicy } from './policy.ts'
import { addFileProvider } from '../../test/file-provider.ts'
import { addRecordingChannel } from '../../test/recording-channel.ts'

/** `HUITOU_CRASH_ROUNDS=200` for the long run; deliveries grow with it. */
const ROUNDS = Number(process.env['HUITOU_CRASH_ROUNDS'] ?? 3)
const CUSTOMERS = Math.max(300, ROUNDS * 50)
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

function start(place: string, now: number, url?: string): ChildProcess {
  return spawn(
    process.execPath,
    [PROGRAM, place, path.join(place, 'provider.txt'), String(now), ...(url ? [url] : [])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
}

/** Kills the children some moments after they have begun to work. */
async function killSoon(children: ChildProcess[], afterMs: number): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      child.stdout?.once('data', () => setTimeout(() => child.kill('SIGKILL'), afterMs))
      await once(child, 'exit')
    }),
  )
}

test.each(engines)(
  'killed at any moment, nobody is messaged twice and nobody is left out (%s)',
  { timeout: 60_000 + ROUNDS * 10_000 },
  async (engine) => {
    const postgres = engine === 'postgres' ? await createPostgresDatabase() : undefined
    const place = mkdtempSync(path.join(folder, engine))
    writeFileSync(path.join(place, 'provider.txt'), '')
    await prepare(place, postgres?.url)
    let now = START
    // On PostgreSQL two nodes share the work, and die together.
    const nodes = postgres ? 2 : 1
    for (let round = 0; round < ROUNDS; round++) {
      now += 45_000
      const children = Array.from({ length: nodes }, () => start(place, now, postgres?.url))
      await killSoon(children, (round * 37) % 160)
    }
    await leaveAlone(place, now, postgres?.url)
    const keys = readFileSync(path.join(place, 'provider.txt'), 'utf8').split('\n').filter(Boolean)
    expect(keys.length - new Set(keys).size).toBe(0)
    expect(new Set(keys).size).toBe(CUSTOMERS * 2)
    expect(await statesIn(place, postgres?.url)).toEqual({ sent: CUSTOMERS * 2 })
    await postgres?.drop()
  },
)

/** Goes on undisturbed, until leases have run out, lost answers have been looked up and failures tried again. */
async function leaveAlone(place: string, from: number, url?: string): Promise<void> {
  const database = openDatabase(url ? { url, poolSize: 4 } : { file: `${place}/huitou.db`, readers: 1 })
  let now = from
  const core = await createCore({ database, dataDir: place, clock: { now: () => now } })
  addFileProvider(core.points, path.join(place, 'provider.txt'))
  for (let calm = 0; calm < 20; calm++) {
    now += 40 * 60_000
    await core.settle()
    if ((await statesIn(place, url))['sent'] === CUSTOMERS * 2) break
  }
  await core.stop()
  await database.close()
}

async function statesIn(place: string, url?: string): Promise<Record<string, number>> {
  const database = openDatabase(url ? { url, poolSize: 2 } : { file: `${place}/huitou.db`, readers: 1 })
  try {
    const rows = await transact(database.db, (tx) =>
      tx
        .selectFrom('deliveries')
        .select(['state', (row) => row.fn.countAll<number>().as('count')])
        .groupBy('state')
        .execute(),
    )
    return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]))
  } finally {
    await database.close()
  }
}
