import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { createJourney, publishJourney, updateJourney } from './queries.ts'

const HOUR = 3_600_000
const MANY = 10_000

// A law about amounts; what PostgreSQL does differently with them the other tests see with few.
describe.each(engines.filter((engine) => engine === 'sqlite'))(
  'a journey that many are in, on %s',
  (engine) => {
    test('changed and published: those under way finish as they began, who comes later takes the new', async () => {
      await using core = await createTestCore({ engine, now: '2026-11-21T10:00:00+08:00' })
      const addCustomers = (from: number, to: number) =>
        transact(core.database.db, async (tx) => {
          const ids = Array.from({ length: to - from }, (_, index) => from + index)
          const seen = { first_seen_at: core.clock.now() }
          await insertRows(tx, 'identifiers', {
            rows: ids.map((id) => ({ id, kind: 'user_id', value: `u${id}`, customer_id: id, ...seen })),
            columns: {
              id: 'integer',
              kind: 'text',
              value: 'text',
              customer_id: 'integer',
              first_seen_at: 'integer',
            },
          })
          await insertRows(tx, 'profiles', {
            rows: ids.map((id) => ({
              customer_id: id,
              key: `k${id}`,
              ...seen,
              last_seen_at: core.clock.now(),
              event_count: 1,
            })),
            columns: {
              customer_id: 'integer',
              key: 'text',
              first_seen_at: 'integer',
              last_seen_at: 'integer',
              event_count: 'integer',
            },
          })
        })
      const wait = (hours: number, next?: string) => ({
        type: 'wait',
        for: { hours },
        ...(next ? { next } : {}),
      })
      const journey = (start: string, nodes: object) => ({
        trigger: { type: 'schedule', cron: '0 * * * *' },
        holdout: { percent: 0 },
        start,
        nodes,
      })
      const ways = async () => {
        const rows = await core.database.db
          .selectFrom('enrolments')
          .select(['version', 'node', 'state', (row) => row.fn.countAll<number>().as('count')])
          .groupBy(['version', 'node', 'state'])
          .orderBy('version')
          .orderBy('node')
          .execute()
        return rows.map(({ version, node, state, count }) => `${version} ${node} ${state} ${count}`)
      }

      await addCustomers(1, MANY + 1)
      const old = journey('first', { first: wait(2, 'second'), second: wait(2) })
      const { id } = await createJourney(core, { name: 'J', definition: old })
      await publishJourney(core, id, 'test')
      core.clock.advance(HOUR)
      await core.settle()
      expect(await ways()).toEqual([`1 first waiting ${MANY}`])

      // The step at which everybody stands is not there any more.
      await updateJourney(core, id, { definition: journey('only', { only: wait(1) }) })
      await publishJourney(core, id, 'test')
      await addCustomers(MANY + 1, MANY + 101)
      core.clock.advance(HOUR)
      await core.settle()
      expect(await ways()).toEqual([`1 first waiting ${MANY}`, '2 only waiting 100'])
      core.clock.advance(HOUR)
      await core.settle()
      expect(await ways()).toEqual([`1 second waiting ${MANY}`, '2 only done 100'])
      core.clock.advance(2 * HOUR)
      await core.settle()
      expect(await ways()).toEqual([`1 second done ${MANY}`, '2 only done 100'])
    })
  },
)
