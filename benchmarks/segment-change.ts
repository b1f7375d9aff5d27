// How long it takes until twenty segments know that one customer among a million changed.
// Reference: one transaction on bare better-sqlite3 that evaluates one of the rules for the customer and writes who joins.
import path from 'node:path'
import { advanceSegments } from '@huitou/core/segments/advance'
import { openBareSqlite } from './harness/bare-sqlite.ts'
import { engine, numberArgument } from './harness/huitou.ts'
import { openWithProfiles } from './harness/profiles-fixture.ts'
import { median, printResult, timed } from './harness/result.ts'

const customers = numberArgument('customers', 1_000_000)
const rounds = numberArgument('rounds', 200)

await using bench = await openWithProfiles(customers, { segments: true })
const { core } = bench.huitou
const { db } = core.database
while (await advanceSegments(core)) continue
const took: number[] = []
let cpu = 0
for (let round = 0; round < rounds + 20; round++) {
  const customer = 1 + ((round * 7_919) % customers)
  await db
    .updateTable('profiles')
    .set({ commerce_orders: round % 2 ? 1 : 9 } as never)
    .where('customer_id', '=', customer)
    .execute()
  await db
    .insertInto('profile_changes')
    .values({ customer_id: customer, columns: '["commerce_orders"]' })
    .execute()
  const before = process.cpuUsage()
  took.push(await timed(() => advanceSegments(core)))
  const { user, system } = process.cpuUsage(before)
  if (round >= 20) cpu += (user + system) / 1_000 / rounds
}
const measured = took.slice(20).toSorted((a, b) => a - b)
printResult({
  bench: 'segment-change',
  metric: `one of ${customers} customers, 20 segments of five conditions`,
  value: median(measured),
  unit: 'ms',
  ...(engine === 'sqlite' ? { reference: bareChange() } : {}),
  budget: '< 5 ms',
  engine,
  cpuMs: Number(cpu.toFixed(2)),
  p95: Number((measured[Math.floor(measured.length * 0.95)] ?? 0).toFixed(2)),
})

function bareChange(): number {
  const database = openBareSqlite(path.join(bench.folder, 'huitou.db'))
  database.exec('create table bare_members (customer_id integer primary key)')
  const find = database.prepare(
    `select customer_id from profiles where customer_id = ? and commerce_orders >= 2 and commerce_spend >= 20000 and commerce_last_order_at >= 0 and t_city in ('上海市', '杭州市') and commerce_favourite_category <> '茶饮食品'`,
  )
  const join = database.prepare('insert or replace into bare_members values (?)')
  const spent: number[] = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    const customer = 1 + ((round * 7_919) % customers)
    database.exec('begin immediate')
    find.get(customer)
    join.run(customer)
    database.exec('commit')
    spent.push(performance.now() - started)
  }
  database.close()
  return median(spent)
}
