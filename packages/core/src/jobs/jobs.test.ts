import { AppError } from '@huitou/plugin-api'
import { createTestCore, engines } from '@huitou/testing'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'

describe.each(engines)('on %s', (engine) => {
  test('a job runs to its end and keeps its result', async () => {
    await using core = await createTestCore({ engine })
    core.jobs.define('add', async ({ job, progress }) => {
      progress({ done: 2, total: 2, unit: 'numbers' })
      return { sum: (job.payload['a'] as number) + (job.payload['b'] as number) }
    })
    const { id, state } = await core.jobs.enqueue({ kind: 'add', title: 'Add', payload: { a: 1, b: 2 } })
    expect(state).toBe('queued')
    core.start()
    expect(await core.jobs.finished(id)).toMatchObject({
      state: 'done',
      result: { sum: 3 },
      progress: { done: 2 },
    })
  })

  test('asking twice with one key gives one job, until that one has ended', async () => {
    await using core = await createTestCore({ engine })
    core.jobs.define('once', async () => {})
    const ask = () => core.jobs.enqueue({ kind: 'once', title: 'Once', key: 'k' })
    const [first, second] = await Promise.all([ask(), ask()])
    expect(second.id).toBe(first.id)
    core.start()
    await core.jobs.finished(first.id)
    expect((await ask()).id).not.toBe(first.id)
  })

  test('long work stays in sight, however much short work comes after it', async () => {
    await using core = await createTestCore({ engine })
    core.jobs.define('short', async () => {})
    const { id } = await core.jobs.enqueue({ kind: 'long', title: 'Long' })
    const short = []
    for (let count = 0; count < 3; count++) {
      core.clock.advance(1_000)
      short.unshift((await core.jobs.enqueue({ kind: 'short', title: 'Short' })).id)
    }
    core.start()
    await Promise.all(short.map((each) => core.jobs.finished(each)))
    expect((await core.jobs.list(3)).map((job) => job.id)).toEqual([id, short[0], short[1]])
  })

  test('a paused job stops at its checkpoint and goes on when resumed; a cancelled one does not come back', async () => {
    await using core = await createTestCore({ engine })
    let runs = 0
    let begun: () => void = () => {}
    core.jobs.define('long', async ({ signal }) => {
      runs++
      begun()
      if (runs === 3) return { runs }
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      return {}
    })
    const started = () => new Promise<void>((resolve) => (begun = resolve))
    const { id } = await core.jobs.enqueue({ kind: 'long', title: 'Long' })
    let running = started()
    core.start()
    await running
    await core.jobs.pause(id)
    expect((await core.jobs.finished(id)).state).toBe('paused')
    running = started()
    await core.jobs.resume(id)
    await running
    await core.jobs.cancel(id)
    expect((await core.jobs.finished(id)).state).toBe('cancelled')
    await expect(core.jobs.pause(id)).rejects.toMatchObject({ code: 'E_JOB_ENDED' })
    expect(runs).toBe(2)
  })

  test('work of a server that died is taken up when its lease has run out, work of a stopped one at once', async () => {
    await using core = await createTestCore({ engine })
    core.jobs.define('work', async () => ({ by: 'second' }))
    const { id } = await core.jobs.enqueue({ kind: 'work', title: 'Work' })
    await core.database.db
      .updateTable('jobs')
      .set({ state: 'running', leased_until: core.clock.now() + 30_000 })
      .where('id', '=', id)
      .execute()
    const other = await core.jobs.enqueue({ kind: 'work', title: 'Other' })
    core.start()
    await core.jobs.finished(other.id)
    expect((await core.jobs.get(id)).state).toBe('running')
    core.clock.advance(31_000)
    expect(await core.jobs.finished(id)).toMatchObject({ state: 'done', result: { by: 'second' } })
  })

  test('what the world failed is tried again later, what the user can mend is not', async () => {
    await using core = await createTestCore({ engine })
    core.jobs.define('call', async () => {
      throw new AppError('world', 'E_AWAY', 'The service is away')
    })
    core.jobs.define('ask', async () => {
      throw new AppError('user', 'E_WRONG', 'The question is wrong', {
        hint: 'Ask better.',
        details: { row: 7 },
      })
    })
    const call = await core.jobs.enqueue({ kind: 'call', title: 'Call' })
    const ask = await core.jobs.enqueue({ kind: 'ask', title: 'Ask' })
    const retried = new Promise<void>((resolve) =>
      core.jobs.onChange((job) => job.id === call.id && job.error && resolve()),
    )
    core.start()
    expect(await core.jobs.finished(ask.id)).toMatchObject({
      state: 'failed',
      error: { code: 'E_WRONG', hint: 'Ask better.', details: { row: 7 } },
    })
    await retried
    expect(await core.jobs.get(call.id)).toMatchObject({ state: 'queued', error: { code: 'E_AWAY' } })
  })

  test('a database that is away for a moment does not end the work', async () => {
    await using core = await createTestCore({ engine })
    core.jobs.define('work', async () => ({ done: true }))
    await sql`alter table jobs rename to jobs_away`.execute(core.database.db)
    core.start()
    await expect(core.jobs.list(1)).rejects.toThrow()
    await sql`alter table jobs_away rename to jobs`.execute(core.database.db)
    const { id } = await core.jobs.enqueue({ kind: 'work', title: 'Work' })
    expect((await core.jobs.finished(id)).state).toBe('done')
  })
})
