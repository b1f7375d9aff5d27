import { type Action, type Condition, type Gate, userError } from '@huitou/plugin-api'
import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { addRecordingChannel, testOwner } from '../../test/recording-channel.ts'
import { checkJourney, createJourney, publishJourney } from './queries.ts'
import { createSegment } from '../segments/queries.ts'
import { listEnrolments } from './enrolments.ts'
import { journeyStats } from './node-stats.ts'

const MINUTE = 60_000
const COUPON = 'test.channel/coupon'
const LUCKY = 'test.channel/lucky'

describe.each(engines)('steps of plugins on %s', (engine) => {
  async function open() {
    const core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    const sms = addRecordingChannel(core.points)
    const someone = (userId: string, traits: Record<string, unknown> = {}) =>
      core.send({
        type: 'identify',
        userId,
        traits: { phone: `+86139${userId.slice(1).padStart(8, '0')}`, ...traits },
      })
    const visits = async (...users: string[]) => {
      const timestamp = new Date(core.clock.now()).toISOString()
      for (const userId of users) await core.send({ type: 'track', event: 'visit', userId, timestamp })
      await core.settle()
    }
    const start = async (definition: object) => {
      const { id } = await createJourney(core, {
        name: 'J',
        definition: {
          trigger: { type: 'event', event: 'visit' },
          holdout: { percent: 0 },
          reentry: { afterDays: 0 },
          ...definition,
        },
      })
      await publishJourney(core, id, 'test')
      return id
    }
    const later = async (milliseconds: number) => {
      core.clock.advance(milliseconds)
      await core.settle()
    }
    const addAction = (run: Action['run'], idempotent = false) =>
      core.points.actions.add(testOwner, COUPON, {
        id: 'coupon',
        title: 'Coupon',
        idempotent,
        output: { type: 'object', properties: { code: { type: 'string' } } },
        run,
      })
    const addCondition = (test: Condition['test'], owner = testOwner) =>
      core.points.conditions.add(owner, LUCKY, {
        id: 'lucky',
        title: 'Lucky',
        inputs: ['t_city', 't_name'],
        run: test,
      })
    const addGate = (allow: Gate['allow'], owner = testOwner, inputs = ['t_city']) =>
      core.points.gates.add(owner, 'test.channel/stock', { id: 'stock', title: 'Stock', inputs, run: allow })
    const texts = () => sms.received.map(({ content }) => content['text'])
    return {
      core,
      sms,
      someone,
      visits,
      start,
      later,
      addAction,
      addCondition,
      addGate,
      texts,
      [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
    }
  }

  const send = (text: string) => ({
    type: 'send',
    channel: 'test.channel/sms',
    content: { text },
    purpose: 'service',
    expires: { hours: 2 },
  })
  const couponJourney = {
    start: 'coupon',
    nodes: {
      coupon: {
        type: 'action',
        action: COUPON,
        input: { city: '{{customer.t_city}}' },
        timeout: { minutes: 30 },
        next: 'which',
        otherwise: 'sorry',
      },
      which: {
        type: 'branch',
        cases: [{ where: [{ property: 'steps.coupon.code', op: 'starts_with', value: 'BIG' }], next: 'big' }],
        otherwise: 'small',
      },
      big: send('Big one: {{steps.coupon.code}}'),
      small: send('{{steps.coupon.code}}'),
      sorry: send('Sorry'),
    },
  }

  test('what an action answers is there for branches and texts behind it', async () => {
    await using world = await open()
    const { core, someone, visits, start, addAction, texts } = world
    addAction(({ city }) => ({ code: city === 'Shanghai' ? 'BIG-1' : 'S-2' }))
    await someone('u1', { city: 'Shanghai' })
    await someone('u2', { city: 'Xi’an' })
    const id = await start(couponJourney)
    await visits('u1', 'u2')
    expect(texts().toSorted()).toEqual(['Big one: BIG-1', 'S-2'])
    const stats = await journeyStats(core.database.db, id)
    expect(stats.find(({ node }) => node === 'coupon')).toMatchObject({ outcomes: { done: 2 }, waiting: 0 })
  })

  test('an action that fails for good, or is never heard of again, leads elsewhere', async () => {
    await using world = await open()
    const { someone, visits, start, addAction, texts, later } = world
    const remove = addAction(() => {
      throw userError('E_NO_COUPONS', 'None left')
    })
    await someone('u1', { city: 'A' })
    const id = await start(couponJourney)
    await visits('u1')
    expect(texts()).toEqual(['Sorry'])
    remove()
    addAction(() => {
      throw Object.assign(new Error('cut off'), { name: 'AbortError' })
    })
    await visits('u1')
    await later(29 * MINUTE)
    expect(texts()).toEqual(['Sorry'])
    await later(MINUTE)
    expect(texts()).toEqual(['Sorry', 'Sorry'])
    const stats = await journeyStats(world.core.database.db, id)
    expect(stats.find(({ node }) => node === 'coupon')?.outcomes).toEqual({ failed: 1, timeout: 1 })
  })

  test('a step that names an answer nobody gives is a mistake', async () => {
    await using world = await open()
    world.addAction(() => ({}))
    const { nodes, ...rest } = couponJourney
    const { draft } = await createJourney(world.core, {
      name: 'J',
      definition: {
        trigger: { type: 'event', event: 'visit' },
        ...rest,
        nodes: { ...nodes, small: send('{{steps.voucher.code}}') },
      },
    })
    expect(await checkJourney(world.core, draft)).toMatchObject([{ code: 'unknown_step' }])
  })

  const luckyJourney = {
    start: 'lucky',
    nodes: {
      lucky: {
        type: 'branch',
        cases: [{ condition: { id: LUCKY, options: { city: 'Shanghai' } }, next: 'yes' }],
        otherwise: 'no',
      },
      yes: send('yes'),
      no: send('no'),
    },
  }
  const livesThere: Condition['test'] = ({ ids, columns, options }) => {
    const city = columns['t_city']
    return Uint8Array.from(ids, (_, row) =>
      city?.kind === 'text' && city.dictionary[city.indexes[row] as number] === options['city'] ? 1 : 0,
    )
  }

  test('a plugin decides at a branch by what is known at that moment; one that fails is asked again', async () => {
    await using world = await open()
    const { core, someone, visits, start, addCondition, texts, later } = world
    let broken = true
    addCondition((batch, context) => {
      if (broken) throw new Error('down')
      return livesThere(batch, context)
    })
    await someone('u1', { city: 'Shanghai' })
    await someone('u2', { city: 'Xi’an' })
    const id = await start(luckyJourney)
    await visits('u1', 'u2')
    const standing = await listEnrolments(core.database.db, id, { node: 'lucky', limit: 10 })
    expect([texts(), standing.enrolments.map(({ state }) => state)]).toEqual([[], ['active', 'active']])
    // Moved house while the plugin was away.
    core.clock.advance(1_000)
    await someone('u2', { city: 'Shanghai' })
    await core.settle()
    broken = false
    await later(MINUTE)
    expect(texts()).toEqual(['yes', 'yes'])
  })

  test('a condition whose plugin may not read, or is gone, keeps nobody else waiting', async () => {
    await using world = await open()
    const { someone, visits, start, addCondition, texts, later } = world
    const asked: string[][] = []
    let granted: Record<string, string[]> = { 'profile.read': ['t_city'] }
    const remove = addCondition(
      (batch, context) => {
        asked.push(Object.keys(batch.columns))
        return livesThere(batch, context)
      },
      { ...testOwner, permissions: () => granted },
    )
    await someone('u1', { city: 'Shanghai', name: 'Wang' })
    await start(luckyJourney)
    await start({ start: 'hi', nodes: { hi: send('hi') } })
    await visits('u1')
    expect([texts(), asked]).toEqual([['hi'], []])
    granted = { ...granted, 'profile.pii': ['name'] }
    await later(MINUTE)
    expect([texts(), asked]).toEqual([['hi', 'yes'], [['t_city', 't_name']]])
    remove()
    await visits('u1')
    expect(texts()).toEqual(['hi', 'yes', 'hi', 'no'])
  })

  const oneMessage = { start: 'hi', nodes: { hi: send('hi') } }
  async function stateIn(core: Awaited<ReturnType<typeof open>>['core']): Promise<unknown> {
    return await core.database.db
      .selectFrom('deliveries')
      .select(['state', 'reason', 'details'])
      .executeTakeFirstOrThrow()
  }

  test.each([
    ['answers nothing', () => undefined as never],
    ['names no moment', () => ({ allow: false, reason: 'x', retryAt: Number.NaN }) as const],
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
  ])('a gate that %s keeps its messages until they expire, and sends none', async (_, allow) => {
    await using world = await open()
    const { core, someone, visits, start, addGate, texts, later } = world
    addGate(allow)
    await someone('u1')
    await start(oneMessage)
    await visits('u1')
    expect(await stateIn(core)).toMatchObject({ state: 'planned', reason: 'gate' })
    for (let minute = 0; minute < 130; minute += 10) await later(10 * MINUTE)
    expect([texts(), await stateIn(core)]).toMatchObject([
      [],
      { state: 'refused', reason: 'expired', details: expect.stringContaining('"because":"gate"') },
    ])
  })

  test('a gate is handed what its plugin may read, and asked once for each message that goes', async () => {
    await using world = await open()
    const { core, visits, start, addGate, texts, later } = world
    const asked: unknown[] = []
    let granted: Record<string, string[]> = {}
    addGate(
      ({ columns }) => {
        asked.push(columns)
        return { allow: true }
      },
      { ...testOwner, permissions: () => granted },
      ['t_city', 'key'],
    )
    await core.send({
      type: 'identify',
      userId: '+8613900000001',
      traits: { phone: '+8613900000001', city: 'A' },
    })
    await start(oneMessage)
    await visits('+8613900000001')
    expect([texts(), asked, await stateIn(core)]).toMatchObject([
      [],
      [],
      { reason: 'gate', details: expect.stringContaining('profile.read t_city is not granted') },
    ])
    granted = { 'profile.read': ['t_city', 'key'] }
    await later(MINUTE)
    expect([texts(), asked]).toEqual([['hi'], [{ t_city: 'A', key: '#1' }]])
  })

  test('a branch whose segment is gone finds nobody, and the journey goes on', async () => {
    await using world = await open()
    const { core, someone, visits, start, texts } = world
    await someone('u1', { city: 'A' })
    await core.settle()
    const { id } = await createSegment(core, {
      name: 'A',
      rule: { all: [{ column: 't_city', op: 'is', value: 'A' }] },
    })
    await start({
      start: 'who',
      nodes: {
        who: {
          type: 'branch',
          cases: [{ rule: { all: [{ segment: id }] }, next: 'yes' }],
          otherwise: 'no',
        },
        yes: send('yes'),
        no: send('no'),
      },
    })
    await visits('u1')
    await core.database.db.deleteFrom('segments').where('id', '=', id).execute()
    await visits('u1')
    expect(texts()).toEqual(['yes', 'no'])
  })
})
