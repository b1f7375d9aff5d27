import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { findInconsistencies } from './consistency.ts'

describe.each(engines)('on %s', (engine) => {
  test('nothing is wrong with a core at work; what was broken by hand is named', async () => {
    await using core = await createTestCore({ engine })
    core.declare({ events: [{ name: 'order.paid', title: 'Paid', from: ['Order Completed'] } as never] })
    await core.send(
      { type: 'identify', userId: 'a', traits: { city: '杭州' } },
      { type: 'track', event: 'Order Completed', userId: 'a', properties: { total: 1 } },
    )
    await core.settle()
    const { db } = core.database
    expect(await findInconsistencies(core.database)).toEqual([])

    // A log that was cut to nothing is no reason to worry: its numbers go on.
    await db.deleteFrom('segment_changes').execute()
    expect(await findInconsistencies(core.database)).toEqual([])

    await db.updateTable('cursors').set({ position: 9_000 }).where('name', '=', 'profiles').execute()
    await db
      .insertInto('segment_members')
      .values({ segment_id: 'gone', customer_id: 1, entered_at: 0 })
      .execute()
    await db
      .insertInto('profile_columns')
      .values({
        ...(await db.selectFrom('profile_columns').selectAll().limit(1).executeTakeFirstOrThrow()),
        name: 't_lost',
      })
      .execute()
    expect(await findInconsistencies(core.database)).toMatchObject([
      { kind: 'relation', subject: 'segment_members.segment_id' },
      { kind: 'cursor', subject: 'profiles' },
      { kind: 'column', subject: 't_lost' },
    ])
  })
})
