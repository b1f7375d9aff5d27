import { createTestCore, engines } from '@huitou/testing'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import { insertEvents } from './append.ts'
import type { NewEvent } from './normalize.ts'
import { readEvents } from './read.ts'

const row = (message_id: string): NewEvent => ({
  message_id,
  source: 't',
  type: 'track',
  name: 'seen',
  ts: 1,
  version: 1,
  body: '{"userId":"u"}',
})

describe.each(engines)('on %s', (engine) => {
  test('text that no database can hold is cleaned, and the rest of the event kept', async () => {
    await using core = await createTestCore({ engine })
    await core.send({
      type: 'track',
      event: 'se\u0000en',
      userId: 'u\u00001',
      messageId: 'm\u0000',
      properties: { 'k\u0000': 'a\u0000b\ud800c', fine: '\\u0000 晴' },
    })
    await core.settle()
    const stored = await transact(core.database.db, (tx) => readEvents(tx, 0, 10))
    expect(stored).toMatchObject([
      {
        message_id: 'm',
        name: 'seen',
        body: { userId: 'u1', properties: { k: 'ab\ufffdc', fine: '\\u0000 晴' } },
      },
    ])
  })

  test('callers at once share commits, and each learns what became of its own events', async () => {
    await using core = await createTestCore({ engine })
    const results = await Promise.all(
      [['a', 'b'], ['b', 'c'], ['c'], ['d']].map((ids) => core.events.append(ids.map(row))),
    )
    expect(results.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(4)
    expect(results.map(({ accepted, duplicates }) => accepted + duplicates)).toEqual([2, 2, 1, 1])
    expect(await core.events.append([row('a'), row('e')])).toEqual({ accepted: 1, duplicates: 1 })
  })
})

test('on PostgreSQL a later append waits for an earlier one, so that no reader steps over a gap', async () => {
  await using core = await createTestCore({ engine: 'postgres' })
  const { db, analytics } = core.database
  const visible = () => analytics.selectFrom('events').select('message_id').orderBy('seq').execute()
  const waiting = sql<{
    n: number
  }>`select count(*) as n from pg_locks where locktype = 'advisory' and not granted`
  const waitingNow = async () => (await waiting.execute(analytics)).rows[0]?.n
  let second: Promise<unknown> = Promise.resolve()
  await transact(db, async (tx) => {
    await insertEvents(tx, [row('first')], 1)
    second = core.events.append([row('second')])
    // The second has reached the lock once the database says that somebody waits for it.
    while ((await waitingNow()) !== 1);
    expect(await visible()).toEqual([])
  })
  await second
  expect((await visible()).map(({ message_id }) => message_id)).toEqual(['first', 'second'])
})
