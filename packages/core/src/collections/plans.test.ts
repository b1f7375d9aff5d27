import { createTestCore, engines } from '@huitou/testing'
import { CompiledQuery, type Kysely, type RootOperationNode } from 'kysely'
import { describe, expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import { complaintId, complaints, declare } from './collections-fixture.ts'
import { findRecords, type RecordSearch } from './find.ts'
import { newRecord, insertChecked } from './write.ts'

describe.each(engines)('what the database does for a list on %s', (engine) => {
  test('a sort and a filter that have an index walk it, in both directions and on later pages', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const definition = await core.collections.definition(complaintId)
    const records = Array.from({ length: 2_000 }, (_, at) =>
      newRecord(
        {
          subject: `s${at}`,
          state: ['open', 'waiting', 'closed'][at % 3],
          due: `2026-03-${10 + (at % 20)}`,
          cost: at % 500,
        },
        { now: at, by: 'person:p1' },
      ),
    )
    const asked: CompiledQuery[] = []
    const plain = core.database.db as unknown as Kysely<any>
    const db = plain.withPlugin({
      transformQuery({ node, queryId }) {
        asked.push(plain.getExecutor().compileQuery(node as RootOperationNode, queryId))
        return node
      },
      transformResult: async ({ result }) => result,
    })
    await transact(core.database.db, (tx) => insertChecked(tx, definition, records))
    const searches: Omit<RecordSearch, 'limit'>[] = [
      { sort: { field: 'cost', dir: 'asc' } },
      { sort: { field: 'cost', dir: 'desc' } },
      { filter: { field: 'state', op: 'is', value: 'open' }, sort: { field: 'due', dir: 'asc' } },
      { filter: { field: 'state', op: 'is', value: 'open' }, sort: { field: 'due', dir: 'desc' } },
      {},
    ]
    for (const search of searches) {
      const { cursor } = await findRecords(db, definition, { ...search, limit: 50 })
      await findRecords(db, definition, { ...search, limit: 50, cursor })
    }
    const plans = await plain.connection().execute(async (one) => {
      // So few rows are read faster than looked up; the question is whether the index could give the order.
      if (engine === 'postgres')
        await one.executeQuery(CompiledQuery.raw('set enable_seqscan = off; set enable_sort = off'))
      const found: string[] = []
      for (const { sql, parameters } of asked) {
        const words = engine === 'postgres' ? 'explain' : 'explain query plan'
        const { rows } = await one.executeQuery<object>(CompiledQuery.raw(`${words} ${sql}`, [...parameters]))
        found.push(rows.map((row) => Object.values(row).join(' ')).join('\n'))
      }
      return found
    })
    expect(plans.length).toBeGreaterThan(10)
    for (const plan of plans) {
      expect(plan).toMatch(/index|rowid|primary key/i)
      expect(plan).not.toMatch(/temp b-tree|sort key/i)
    }
  })
})
