import { AppError } from '@huitou/plugin-api'
import { coreTemplate } from '@huitou/testing/core-template'
import { openTestDatabase } from '@huitou/testing'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { createCore } from '../core.ts'
import { BossQueue } from './boss-queue.ts'
import { EmbeddedQueue } from './embedded-queue.ts'
import { createJobs, type JobHandler, type Jobs } from './jobs.ts'

const log = { info: () => {}, warn: () => {}, error: () => {} }

/** Two workers on one database, each with its own way to the jobs. */
async function openWorkers(kind: 'sqlite' | 'postgres' | 'pg-boss', Boss = BossQueue) {
  const { database, dataDir, remove } = await openTestDatabase(
    kind === 'sqlite' ? 'sqlite' : 'postgres',
    coreTemplate,
  )
  await createCore({ database, dataDir })
  const stop = new AbortController()
  const ended: Promise<void>[] = []
  const worker = (place: string): Jobs => {
    const queue =
      kind === 'pg-boss' ? new Boss(database, { clock: systemClock, log, backend: 'postgres' }) : undefined
    return createJobs({ database, clock: systemClock, place, queue })
  }
  return {
    database,
    workers: [worker('one'), worker('two')] as const,
    run(...which: [jobs: Jobs, takesAll: boolean, place: string][]) {
      for (const [jobs, takesAll, place] of which) ended.push(jobs.run(stop.signal, { takesAll, place }))
    },
    /** As if whoever has a job had died, and its lease had run out. */
    async forget() {
      await database.db.updateTable('jobs').set({ leased_until: 1 }).where('state', '=', 'running').execute()
      if (kind === 'pg-boss')
        await sql`update huitou_jobs.job set heartbeat_on = now() - interval '1 hour'`.execute(database.db)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(ended)
      await database.close()
      await remove()
    },
  }
}

describe.each(['sqlite', 'postgres', 'pg-boss'] as const)('jobs handed round by %s', (kind) => {
  test('each is done once, by one of the workers; those that need a folder where it is', async () => {
    await using world = await openWorkers(kind)
    const [one, two] = world.workers
    const done: string[] = []
    const define = (jobs: Jobs, name: string) =>
      jobs.define('work', async ({ job }) => void done.push(`${name} ${job.payload['n'] as number}`))
    define(one, 'one')
    define(two, 'two')
    const jobs = await Promise.all(
      Array.from({ length: 12 }, (_, n) => one.enqueue({ kind: 'work', title: 'W', payload: { n } })),
    )
    const here = await one.enqueue({ kind: 'work', title: 'W', payload: { n: 12 }, here: true })
    // One answers HTTP: it does what needs its folder, and leaves the rest to the other.
    world.run([one, false, 'one'], [two, true, 'two'])
    await Promise.all([...jobs, here].map(({ id }) => two.finished(id)))
    expect(done.toSorted()).toEqual([...jobs.map((_, n) => `two ${n}`), 'one 12'].toSorted())
    const runAt = Date.now() + 1_000
    const later = await one.enqueue({ kind: 'work', title: 'W', payload: { n: 13 }, runAt })
    expect((await two.finished(later.id)).finishedAt).toBeGreaterThanOrEqual(runAt)
    expect(done.at(-1)).toBe('two 13')
  })

  test('of a job whose worker says nothing any more another takes the rest, and the first writes nothing', async () => {
    await using world = await openWorkers(kind)
    const [one, two] = world.workers
    const begun = Promise.withResolvers<void>()
    const lost = Promise.withResolvers<string>()
    const first: JobHandler = async ({ signal }) => {
      begun.resolve()
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      lost.resolve(String(signal.reason))
      return { by: 'one' }
    }
    one.define('work', first)
    const { id } = await one.enqueue({ kind: 'work', title: 'W', key: 'k' })
    world.run([one, true, 'one'])
    await begun.promise
    expect((await two.enqueue({ kind: 'work', title: 'W', key: 'k' })).id).toBe(id)
    two.define('work', async () => ({ by: 'two' }))
    world.run([two, true, 'two'])
    // Whoever is at it says so again and again; it has to be silent for once.
    const silence = setInterval(() => void world.forget().catch(() => {}), 20)
    const ended = await two.finished(id)
    clearInterval(silence)
    expect(ended).toMatchObject({ state: 'done', result: { by: 'two' } })
    expect(await lost.promise).toBe('lost')
    expect(await two.get(id)).toMatchObject({ state: 'done', result: { by: 'two' } })
  })

  test('paused, resumed, cancelled, failed and tried again', async () => {
    await using world = await openWorkers(kind)
    const [one, two] = world.workers
    let tries = 0
    const define = (jobs: Jobs) => {
      jobs.define('long', async ({ signal }) => {
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        )
      })
      jobs.define('shaky', async () => {
        tries++
        if (tries === 1) throw new AppError('world', 'E_AWAY', 'Away')
        return { tries }
      })
    }
    define(one)
    define(two)
    world.run([one, true, 'one'], [two, true, 'two'])
    const running = async (id: string) => {
      while ((await one.get(id)).state !== 'running') await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const shaky = await one.enqueue({ kind: 'shaky', title: 'S' })
    const { id } = await one.enqueue({ kind: 'long', title: 'L' })
    await running(id)
    await two.pause(id)
    expect((await one.finished(id)).state).toBe('paused')
    await two.resume(id)
    await running(id)
    await two.cancel(id)
    expect((await one.finished(id)).state).toBe('cancelled')
    expect(await two.finished(shaky.id)).toMatchObject({ state: 'done', result: { tries: 2 } })
  })
})

test('a job that is in line again before pg-boss was told that it is over does not lie still', async () => {
  const resumed = Promise.withResolvers<void>()
  class LateQueue extends BossQueue {
    override async letGo(taken: Parameters<BossQueue['letGo']>[0]) {
      await resumed.promise
      await super.letGo(taken)
    }
  }
  await using world = await openWorkers('pg-boss', LateQueue)
  const [one, two] = world.workers
  let runs = 0
  const again = Promise.withResolvers<void>()
  const define = (jobs: Jobs) =>
    jobs.define('long', async ({ signal }) => {
      if (++runs === 2) return again.resolve()
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    })
  define(one)
  define(two)
  world.run([one, true, 'one'], [two, true, 'two'])
  const { id } = await one.enqueue({ kind: 'long', title: 'L' })
  const row = () => world.database.db.selectFrom('jobs').selectAll().executeTakeFirstOrThrow()
  await expect.poll(async () => (await row()).state, { timeout: 10_000 }).toBe('running')
  await two.pause(id)
  expect((await one.finished(id)).state).toBe('paused')
  await two.resume(id)
  await expect.poll(async () => (await row()).handed_at, { timeout: 10_000 }).not.toBeNull()
  resumed.resolve()
  await again.promise
  expect((await one.finished(id)).state).toBe('done')
})

test('a job that one worker completes while another hands it over again does not lie still', async () => {
  const { database, dataDir, remove } = await openTestDatabase('postgres', coreTemplate)
  await createCore({ database, dataDir })
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  let isLate = false
  const late: typeof database = {
    ...database,
    openPool(connections) {
      const pool = database.openPool!(connections)
      const query = async (text: string, values: unknown[]) => {
        const result = await pool.query(text, values)
        if (isLate) {
          asked.resolve()
          await answer.promise
        }
        return result
      }
      return { query, end: () => pool.end() } as unknown as typeof pool
    },
  }
  const options = { clock: systemClock, log, backend: 'postgres' as const }
  const one = new BossQueue(database, options)
  const two = new BossQueue(late, options)
  await one.open()
  await two.open()
  const { id } = await createJobs({ database, clock: systemClock }).enqueue({ kind: 'long', title: 'L' })
  const taken = await one.take(['long'], undefined)
  expect(taken?.job.id).toBe(id)
  expect(await two.take(['long'], undefined)).toBeUndefined()
  // It was paused and resumed; pg-boss has yet to hear that it was let go of.
  await database.db.updateTable('jobs').set({ state: 'queued', handed_at: null }).execute()
  isLate = true
  const handing = two.take(['long'], undefined)
  await asked.promise
  await one.letGo(taken!)
  answer.resolve()
  const again = (await handing) ?? (await one.take(['long'], undefined))
  expect(again?.job.id).toBe(id)
  await one.close()
  await two.close()
  await database.close()
  await remove()
})

test('days that pass in the demo shop take no job from who is at it', async () => {
  const { database, dataDir, remove } = await openTestDatabase('sqlite', coreTemplate)
  await createCore({ database, dataDir })
  let now = Date.now()
  let machine = now
  const clock = { now: () => now, machine: () => machine }
  const jobs = createJobs({ database, clock })
  const queue = new EmbeddedQueue(database.db, clock)
  const { id } = await jobs.enqueue({ kind: 'demo', title: 'days' })
  expect((await queue.take(['demo'], undefined))?.job.id).toBe(id)
  now += 7 * 86_400_000
  expect(await queue.take(['demo'], undefined)).toBeUndefined()
  machine += 60_000
  expect((await queue.take(['demo'], undefined))?.job.id).toBe(id)
  await database.close()
  await remove()
})
