import { createTestCore, engines } from '@huitou/testing'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import { announceForAll } from '../profiles/store.ts'
import { createSegment, getSegment, snapshotSegment } from './queries.ts'

describe.each(engines)('on %s', (engine) => {
  test('a change announced for everybody reaches the segments that look at it, and only those', async () => {
    await using core = await createTestCore({ engine })
    await core.send(
      ...['a', 'b', 'c'].map((userId) => ({
        type: 'identify',
        userId,
        messageId: userId,
        traits: { city: '上海', gender: 'f' },
      })),
    )
    await core.settle()
    const city = await createSegment(core, {
      name: 'city',
      rule: { all: [{ column: 't_city', op: 'is', value: '杭州' }] },
    })
    const outer = await createSegment(core, { name: 'outer', rule: { all: [{ not: { segment: city.id } }] } })
    const gender = await createSegment(core, {
      name: 'gender',
      rule: { all: [{ column: 't_gender', op: 'is', value: 'm' }] },
    })
    await core.settle()
    await transact(core.database.db, async (tx) => {
      await sql`update profiles set t_city = '杭州', t_gender = 'm' where key <> 'c'`.execute(tx)
      await announceForAll(tx, ['t_city'])
    })
    await core.settle()
    const counts = await Promise.all(
      [city, outer, gender].map(async ({ id }) => (await getSegment(core, id)).count),
    )
    expect(counts).toEqual([2, 1, 0])
  })
})

describe.each(engines)('a list on %s', (engine) => {
  test('a customer that became part of another leaves its place to that one, and nobody else joins', async () => {
    await using core = await createTestCore({ engine })
    await core.send(
      ...['a', 'b', 'c', 'd'].map((userId) => ({
        type: 'identify',
        userId,
        messageId: userId,
        traits: { city: userId === 'd' ? '杭州' : '上海' },
      })),
    )
    await core.settle()
    const rule = await createSegment(core, {
      name: 'rule',
      rule: { any: [{ column: 'key', op: 'in', value: ['b', 'c'] }] },
    })
    await core.settle()
    const list = await snapshotSegment(core, rule.id, 'list')
    const members = async () => {
      const rows = await core.database.db
        .selectFrom('segment_members')
        .innerJoin('profiles', 'profiles.customer_id', 'segment_members.customer_id')
        .select('profiles.key')
        .where('segment_id', '=', list.id)
        .orderBy('profiles.key')
        .execute()
      return rows.map(({ key }) => key)
    }
    expect(await members()).toEqual(['b', 'c'])
    // b and a turn out to be one person, whose key is the smaller one.
    await core.send(
      ...['a', 'b'].map((userId) => ({
        type: 'identify',
        userId,
        messageId: `phone ${userId}`,
        traits: { phone: '13800138000' },
      })),
    )
    await core.settle()
    expect(await members()).toEqual(['a', 'c'])
  })
})
