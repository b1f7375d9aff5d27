import { type ColumnBatch, toNumberVector, valueAt } from '@huitou/plugin-api'
import { createTestCore, engines } from '@huitou/testing'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { writeContactPolicy } from '../deliveries/policy.ts'
import { createJourney, publishJourney } from '../journeys/queries.ts'
import { explainRule } from '../segments/explain.ts'
import { createSegment } from '../segments/queries.ts'
import type { Rule } from '../segments/rule.ts'

const owner = {
  plugin: 'test.score',
  prefix: 'score',
  text: (text: string | { en: string; 'zh-CN': string }) =>
    typeof text === 'string' ? { en: text, 'zh-CN': text } : text,
}

async function openShop(engine: 'sqlite' | 'postgres') {
  const core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
  const sms = addRecordingChannel(core.points)
  const seen: number[] = []
  core.points.scorers.add(owner, 'score.luck', {
    id: 'luck',
    title: 'Luck',
    inputs: ['first_seen_at'],
    outputs: [{ id: 'luck', title: 'Luck', type: 'integer' }],
    run(batch: ColumnBatch) {
      seen.push(batch.ids.length)
      return { luck: toNumberVector([...batch.ids].map((_, row) => 5 + row)) }
    },
  })
  core.points.segmenters.add(owner, 'score.fate', {
    id: 'fate',
    title: 'Fate',
    inputs: ['score_luck'],
    labels: [{ id: 'lucky', title: 'Lucky' }],
    run: (batch: ColumnBatch) =>
      Int16Array.from(batch.ids, (_, row) =>
        valueAt(batch.columns['score_luck'] as never, row) === null ? -1 : 0,
      ),
  })
  await writeContactPolicy(core.database.db, {
    quietHours: null,
    caps: { perDay: null, perWeek: null, perChannelPerDay: {} },
    budgets: [],
    fatigue: null,
    consentNeeded: [],
  })
  for (const [index, userId] of ['a', 'b', 'c'].entries())
    await core.send({ type: 'identify', userId, traits: { phone: `1380000000${index}`, name: userId } })
  const settle = async () => {
    await core.settle()
    await core.scores.runAll({ force: true })
    await core.settle()
  }
  await settle()
  const say = async (userId: string, state: 'granted' | 'withdrawn') => {
    core.clock.advance(60_000)
    await core.send({
      type: 'track',
      event: `consent.${state}`,
      userId,
      properties: { purpose: 'profiling' },
    })
    await core.settle()
  }
  const members = async (segment: string) => {
    const { rows } = await sql<{ key: string }>`select key from segment_members m
      join profiles p on p.customer_id = m.customer_id where m.segment_id = ${segment} order by key`.execute(
      core.database.db,
    )
    return rows.map(({ key }) => key).join('')
  }
  const scores = async () => {
    const { rows } = await sql<{ key: string; luck: number | null; fate: string | null }>`
      select key, score_luck as luck, score_fate as fate from profiles order by key`.execute(core.database.db)
    return rows
      .filter(({ luck, fate }) => luck !== null && fate !== null)
      .map(({ key }) => key)
      .join('')
  }
  return {
    core,
    sms,
    seen,
    settle,
    say,
    members,
    scores,
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  }
}

describe.each(engines)('who wants no conclusions drawn, on %s', (engine) => {
  test('has no scores, and is in no segment that rests on them, not even as one of the others', async () => {
    await using shop = await openShop(engine)
    const { core, say, members, scores, settle, seen } = shop
    const lucky: Rule = { all: [{ column: 'score_luck', op: 'gte', value: 1 }] }
    const high = await createSegment(core, { name: 'High', rule: lucky })
    const rest = await createSegment(core, { name: 'Rest', rule: { all: [{ not: { segment: high.id } }] } })
    const unlabelled = await createSegment(core, {
      name: 'None',
      rule: { all: [{ column: 'score_fate', op: 'is_not_set' }] },
    })
    const named = await createSegment(core, {
      name: 'Named',
      rule: { all: [{ column: 't_name', op: 'is_set' }] },
    })
    await settle()
    expect([await scores(), await members(high.id), await members(named.id)]).toEqual(['abc', 'abc', 'abc'])

    await say('b', 'withdrawn')
    expect([await scores(), await members(high.id), await members(named.id)]).toEqual(['ac', 'ac', 'abc'])
    expect([await members(rest.id), await members(unlabelled.id)]).toEqual(['', ''])
    await settle()
    expect([seen.at(-1), await scores(), await members(rest.id)]).toEqual([2, 'ac', ''])
    const { customer_id: id } = await core.database.db
      .selectFrom('profiles')
      .select('customer_id')
      .where('key', '=', 'b')
      .executeTakeFirstOrThrow()
    expect(await explainRule(core, lucky, id)).toMatchObject({ member: false, optedOut: true })
    expect(await explainRule(core, { all: [{ column: 't_name', op: 'is_set' }] }, id)).toMatchObject({
      member: true,
      optedOut: false,
    })

    await say('b', 'granted')
    await settle()
    expect([seen.at(-1), await scores(), await members(high.id)]).toEqual([3, 'abc', 'abc'])
  })

  test('is not taken into a journey that only advertises, hears of orders, and the timeline says why', async () => {
    await using shop = await openShop(engine)
    const { core, say, sms } = shop
    const journey = async (purpose: 'marketing' | 'service', event: string) => {
      const { id } = await createJourney(core, {
        name: purpose,
        definition: {
          trigger: { type: 'event', event },
          holdout: { percent: 0 },
          start: 'hi',
          nodes: { hi: { type: 'send', channel: sms.id, content: { text: purpose }, purpose } },
        } as never,
      })
      await publishJourney(core, id, 'u1')
      return id
    }
    const advertising = await journey('marketing', 'visit')
    await journey('service', 'order.paid')
    await say('b', 'withdrawn')
    for (const userId of ['a', 'b', 'b'])
      await core.send(
        { type: 'track', event: 'visit', userId },
        { type: 'track', event: 'order.paid', userId },
      )
    await core.settle()
    expect(sms.received.map(({ content }) => (content as { text: string }).text).toSorted()).toEqual([
      'marketing',
      'service',
      'service',
    ])
    const told = await core.database.db
      .selectFrom('timeline')
      .innerJoin('profiles', 'profiles.customer_id', 'timeline.customer_id')
      .innerJoin('events', 'events.seq', 'timeline.seq')
      .select(['profiles.key', 'events.body'])
      .where('timeline.name', '=', 'journey.kept_out')
      .execute()
    expect(told.map(({ key }) => key)).toEqual(['b'])
    expect(JSON.parse(told[0]!.body)).toMatchObject({
      properties: { journey_id: advertising, reason: 'do_not_profile' },
    })
  })
})
