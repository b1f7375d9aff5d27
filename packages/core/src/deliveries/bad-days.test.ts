import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { createJourney, publishJourney } from '../journeys/queries.ts'
import { writeContactPolicy } from './policy.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe.each(engines)('bad days on %s', { timeout: 60_000 }, (engine) => {
  async function open() {
    const core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
    const sms = addRecordingChannel(core.points)
    await writeContactPolicy(core.database.db, {
      quietHours: null,
      caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
      budgets: [],
      fatigue: null,
      consentNeeded: [],
    })
    const { id } = await createJourney(core, {
      name: 'J',
      definition: {
        trigger: { type: 'event', event: 'visit' },
        holdout: { percent: 0 },
        start: 'wait',
        nodes: {
          wait: { type: 'wait', for: { hours: 2 }, next: 'hi' },
          hi: {
            type: 'send',
            channel: sms.id,
            content: { text: 'Hi' },
            purpose: 'service',
            expires: { days: 3 },
          },
        },
      },
    })
    await publishJourney(core, id, 'test')
    const timestamp = new Date(core.clock.now()).toISOString()
    for (let index = 0; index < 8; index++) {
      const traits = { phone: `+861390000000${index}` }
      await core.send({ type: 'track', event: 'visit', userId: `u${index}`, context: { traits }, timestamp })
    }
    await core.settle()
    const start = core.clock.now()
    const goTo = async (milliseconds: number) => {
      core.clock.set(new Date(start + milliseconds).toISOString())
      await core.settle()
    }
    return { core, sms, goTo, [Symbol.asyncDispose]: () => core[Symbol.asyncDispose]() }
  }

  test('a channel that is away for a day is left in peace, and afterwards everybody hears once', async () => {
    await using world = await open()
    const { sms, goTo } = world
    let calls = 0
    Object.defineProperty(sms, 'failure', {
      configurable: true,
      get: () => {
        calls++
        return new Error('away')
      },
    })
    for (let hour = 2; hour < 26; hour += 4) await goTo(hour * HOUR)
    expect([sms.received.length, calls < 60]).toEqual([0, true])
    Object.defineProperty(sms, 'failure', { value: undefined })
    for (let hour = 26; hour < 30; hour += 2) await goTo(hour * HOUR)
    expect(new Set(sms.received.map(({ key }) => key)).size).toBe(8)
    expect(sms.received).toHaveLength(8)
  })

  test.each([
    ['back by two days', -2 * DAY],
    ['ahead by ten', 10 * DAY],
  ])('a clock that jumps %s and returns makes nobody hear twice, or never', async (_, jump) => {
    await using world = await open()
    const { sms, goTo } = world
    await goTo(HOUR)
    await goTo(jump)
    expect(sms.received).toHaveLength(jump < 0 ? 0 : 8)
    await goTo(2 * HOUR)
    await goTo(3 * HOUR)
    expect(sms.received).toHaveLength(8)
  })
})
