import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SignedIn } from '../http/env.ts'
import { createSegment, deleteSegment } from '../segments/queries.ts'
import { createJourney, publishJourney } from './queries.ts'
import { journeyRoutes } from './routes.ts'

const DAY = 24 * 3_600_000

describe.each(engines)('what a journey names is deleted, on %s', (engine) => {
  let core: TestCore
  let app: Hono<SignedIn>

  beforeAll(async () => {
    core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    app = new Hono<SignedIn>()
      .use(async (c, next) => {
        c.set('user', { id: 'u1', name: 'U', email: 'u@example.com', role: 'owner', locale: 'en' } as never)
        await next()
      })
      .route('/journeys', journeyRoutes(core))
  })
  afterAll(() => core[Symbol.asyncDispose]())

  const daily = (filter?: unknown) => ({
    trigger: { type: 'schedule', cron: '0 18 * * *' },
    holdout: { percent: 0 },
    ...(filter ? { filter } : {}),
    reentry: { afterDays: 0 },
    start: 'wait',
    nodes: { wait: { type: 'wait', for: { hours: 1 } } },
  })
  const start = async (definition: unknown) => {
    const { id } = await createJourney(core, { name: 'J', definition })
    await publishJourney(core, id, 'test')
    return id
  }
  const entered = async (id: string) =>
    (await core.database.db.selectFrom('enrolments').select('id').where('journey_id', '=', id).execute())
      .length
  const mistakes = async (id: string) =>
    (
      ((await (await app.request(`/journeys/${id}`)).json()) as Record<string, unknown>)[
        'mistakesInForce'
      ] as { code: string; path: string }[]
    ).map(({ code, path }) => [code, path])

  test('a filter that cannot be read lets nobody in, the journey says so, and others go on', async () => {
    const vip = { column: 't_level', op: 'is', value: 'gold' }
    await core.send({ type: 'identify', userId: 'a', traits: { level: 'gold', phone: '+8613900000001' } })
    await core.settle()
    const { id: gold } = await createSegment(core, { name: 'Gold', rule: { all: [vip] } } as never)
    const bySegment = await start(daily({ all: [{ segment: gold }] }))
    const byColumn = await start(daily({ all: [vip] }))
    const everybody = await start(daily())
    const all = [bySegment, byColumn, everybody]
    core.clock.advance(DAY)
    await core.settle()
    expect(await Promise.all(all.map(entered))).toEqual([1, 1, 1])
    expect(await Promise.all(all.map(mistakes))).toEqual([[], [], []])

    await expect(deleteSegment(core, gold)).rejects.toMatchObject({
      code: 'E_SEGMENT_IN_USE',
      details: { uses: [{ kind: 'journey', id: bySegment }] },
    })
    await core.database.db.deleteFrom('segments').where('id', '=', gold).execute()
    await core.database.db.deleteFrom('profile_columns').where('name', '=', 't_level').execute()
    core.clock.advance(DAY)
    await core.settle()
    expect(await Promise.all(all.map(entered))).toEqual([1, 1, 2])
    expect(await Promise.all(all.map(mistakes))).toEqual([
      [['bad_rule', 'filter']],
      [['bad_rule', 'filter']],
      [],
    ])
    const runs = await core.database.db.selectFrom('journeys').select('run_at').execute()
    expect(runs.map(({ run_at }) => run_at)).toEqual([null, null, null])
  })
})
