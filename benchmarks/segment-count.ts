// How long the count of a rule with five conditions takes over a million customers, with the count after each sentence.
// Reference: the bare SQL that counts the same rule, without steps, on the same database.
import path from 'node:path'
import { countRule } from '@huitou/core/segments/count'
import pg from 'pg'
import { openBareSqlite } from './harness/bare-sqlite.ts'
import { engine, numberArgument } from './harness/huitou.ts'
import { now, openWithProfiles } from './harness/profiles-fixture.ts'
import { median, printResult, timed } from './harness/result.ts'
import { fiveConditions } from './harness/segments.ts'

const customers = numberArgument('customers', 1_000_000)
const rounds = numberArgument('rounds', 9)
const from = Math.floor((now + 8 * 3_600_000) / 86_400_000) * 86_400_000 - 8 * 3_600_000 - 179 * 86_400_000
const BARE = `select count(*) as count from profiles where commerce_orders >= 2 and commerce_spend >= 20000 and commerce_last_order_at >= ${from}
  and t_city in ('上海市', '杭州市', '苏州市', '南京市') and (commerce_favourite_category is null or commerce_favourite_category <> '茶饮食品')`

await using bench = await openWithProfiles(customers)
const { core } = bench.huitou
let counted = await countRule(core, fiveConditions)
const ours: number[] = []
const bare: number[] = []
const reference = await openReference()
for (let round = 0; round < rounds; round++) {
  bare.push(
    await timed(async () => {
      const found = await reference.count()
      if (found !== counted.count)
        throw new Error(`The bare query counts ${found}, the rule ${counted.count}`)
    }),
  )
  ours.push(await timed(async () => (counted = await countRule(core, fiveConditions))))
}
await reference.close()
printResult({
  bench: 'segment-count',
  metric: `five conditions over ${customers} customers`,
  value: median(ours),
  unit: 'ms',
  reference: median(bare),
  budget: '< 500 ms',
  engine,
  best: Math.round(Math.min(...ours)),
  count: counted.count,
})

async function openReference(): Promise<{ count(): Promise<number>; close(): Promise<void> }> {
  if (engine === 'sqlite') {
    const database = openBareSqlite(path.join(bench.folder, 'huitou.db'))
    const statement = database.prepare(BARE)
    return {
      count: async () => (statement.get() as { count: number }).count,
      close: async () => void database.close(),
    }
  }
  const client = new pg.Client({ connectionString: bench.url })
  await client.connect()
  return {
    count: async () => Number((await client.query<{ count: string }>(BARE)).rows[0]?.count),
    close: () => client.end(),
  }
}
