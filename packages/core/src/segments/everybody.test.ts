import { createTestCore, engines } from '@huitou/testing'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import { announceForAll } from '../profiles/store.ts'
import { createSegment, getSegment } from './queries.ts'

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
