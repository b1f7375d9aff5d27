import type { Receipt } from '@huitou/plugin-api'
import { createTestCore, engines, type TestCore } from '@huitou/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { transact } from '../db/database.ts'
import { planDeliveries } from '../journeys/outbox.ts'
import { writeContactPolicy } from './policy.ts'
import { prepareBatch } from './prepare.ts'
import { recordReceipts } from './receipts.ts'

const CUSTOMERS = 6

/** What may happen between two pieces of work. */
const moment = fc.oneof(
  fc.constant({ type: 'work' as const }),
  // The worker dies with messages in hand: before the call, after it, or between two messages of it.
  fc.record({ type: fc.constant('die' as const), reached: fc.integer({ min: 0, max: CUSTOMERS }) }),
  fc.record({ type: fc.constant('pass' as const), minutes: fc.constantFrom(1, 3, 30, 90) }),
  fc.record({
    type: fc.constant('mood' as const),
    mood: fc.constantFrom('good' as const, 'busy' as const, 'mute' as const),
  }),
  fc.record({
    type: fc.constant('receipt' as const),
    of: fc.nat(),
    kind: fc.constantFrom('delivered' as const, 'read' as const),
  }),
  fc.constant({ type: 'plan again' as const }),
)

async function open(engine: (typeof engines)[number]): Promise<TestCore> {
  const core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
  await writeContactPolicy(core.database.db, {
    quietHours: null,
    caps: { perDay: 2, perWeek: null, perChannelPerDay: {} },
    budgets: [],
    fatigue: null,
    consentNeeded: [],
  })
  return core
}

test.each(engines)(
  'whatever goes wrong in whatever order, each message arrives once (%s)',
  { timeout: 120_000 },
  async (engine) => {
    await using core = await open(engine)
    const sms = addRecordingChannel(core.points, { limits: { batchSize: 4 } })
    let round = 0
    const runs = Number(process.env['HUITOU_CRASH_ROUNDS'] ?? (engine === 'sqlite' ? 12 : 4))
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 14 }), async (moments) => {
        round++
        sms.received.length = 0
        sms.answer = undefined
        const prefix = `r${round}`
        await core.send(
          ...Array.from({ length: CUSTOMERS }, (_, index) => ({
            type: 'identify',
            userId: `${prefix}u${index}`,
            traits: { phone: `+86137${String(round * 100 + index).padStart(8, '0')}` },
          })),
        )
        await core.settle()
        const people = await core.database.db
          .selectFrom('identifiers')
          .select('customer_id')
          .where('value', 'like', `${prefix}u%`)
          .execute()
        const keys = people.map(({ customer_id }) => `${prefix}.${customer_id}`)
        const plan = () =>
          transact(core.database.db, (tx) =>
            planDeliveries(
              tx,
              people.map(({ customer_id }, index) => ({
                key: keys[index] as string,
                kind: 'message' as const,
                customerId: customer_id,
                channel: sms.id,
                account: '',
                content: { text: 'Hello' },
                dueAt: core.clock.now(),
              })),
              core.clock.now(),
            ),
          )
        await plan()
        for (const each of moments) {
          if (each.type === 'work') await core.settle()
          if (each.type === 'plan again') await plan()
          if (each.type === 'pass') core.clock.advance(each.minutes * 60_000)
          if (each.type === 'mood')
            sms.answer =
              each.mood === 'good'
                ? undefined
                : ({ key }) =>
                    each.mood === 'busy' ? { key, outcome: 'failed', code: 'BUSY', message: 'Busy' } : 'lost'
          if (each.type === 'die') {
            const prepared = await prepareBatch(core.deliveries.context, { channel: sms.id, account: '' })
            sms.received.push(
              ...(prepared?.leased ?? []).slice(0, each.reached).map(({ delivery }) => delivery),
            )
          }
          if (each.type === 'receipt' && sms.received.length > 0) {
            const { key } = sms.received[each.of % sms.received.length] as { key: string }
            const receipt: Receipt = { providerId: `p:${key}`, key, kind: each.kind, at: core.clock.now() }
            await transact(core.database.db, (tx) =>
              recordReceipts(tx, { channel: sms.id, receipts: [receipt, receipt], now: core.clock.now() }),
            )
          }
        }
        sms.answer = undefined
        for (let hour = 0; hour < 9; hour++) {
          core.clock.advance(3_600_000)
          await core.settle()
        }
        expect(sms.received.map(({ key }) => key).toSorted()).toEqual(keys.toSorted())
        const states = await core.database.db
          .selectFrom('deliveries')
          .select('state')
          .distinct()
          .where('key', 'like', `${prefix}.%`)
          .execute()
        for (const { state } of states) expect(['sent', 'delivered', 'read']).toContain(state)
      }),
      { numRuns: runs },
    )
  },
)
