// How long RFM takes for a million customers through the plugin, read and written back: scores, then segments.
// Reference: a bare loop on better-sqlite3 that reads, sorts three times, and writes the same columns.
import path from 'node:path'
import { openBareSqlite } from './harness/bare-sqlite.ts'
import { copyDatabase, scratchFolder } from './harness/fixtures.ts'
import { engine, numberArgument } from './harness/huitou.ts'
import { openWithProfiles } from './harness/profiles-fixture.ts'
import { printResult, timed } from './harness/result.ts'

const customers = numberArgument('customers', 1_000_000)

await using bench = await openWithProfiles(customers)
const { core } = bench.huitou
const reference = engine === 'sqlite' ? bareRfm() : undefined
for (const metric of ['first run, every row written', 'second run, nothing new']) {
  let runs: Awaited<ReturnType<typeof core.scores.runAll>> = []
  const took = await timed(async () => (runs = await core.scores.runAll({ force: true })))
  const failed = runs.find(({ error }) => error !== null)
  if (failed) throw new Error(failed.error ?? '')
  const first = metric.startsWith('first')
  printResult({
    bench: 'rfm',
    metric: `${metric}, ${customers} customers`,
    value: took / 1_000,
    unit: 's',
    ...(first && reference !== undefined ? { reference: reference / 1_000 } : {}),
    ...(first ? { budget: '≤ 2 × the reference' } : {}),
    engine,
    changed: Object.fromEntries(runs.map(({ id, changed }) => [id, changed])),
    rssMb: Math.round(process.memoryUsage().rss / 1_048_576),
  })
}

/** On a copy, so that both find the columns empty. */
function bareRfm(): number {
  using scratch = scratchFolder()
  copyDatabase(bench.folder, scratch.path)
  const database = openBareSqlite(path.join(scratch.path, 'huitou.db'))
  for (const column of ['recency', 'r', 'f', 'm', 'cell', 'label'])
    database.exec(`alter table profiles add column bare_${column}`)
  const started = performance.now()
  const read = database
    .prepare(
      'select customer_id, key, commerce_last_order_at, commerce_orders, commerce_spend from profiles where commerce_orders > 0 order by customer_id',
    )
    .raw()
  const rows = [...(read.iterate() as IterableIterator<[number, string, number, number, number]>)]
  const quintiles = [2, 3, 4].map((field) => {
    const order = rows
      .map((_, index) => index)
      .sort(
        (a, b) =>
          (rows[a]?.[field] as number) - (rows[b]?.[field] as number) ||
          ((rows[a]?.[1] as string) < (rows[b]?.[1] as string) ? -1 : 1),
      )
    const scores = new Uint8Array(rows.length)
    order.forEach((index, rank) => (scores[index] = 1 + Math.floor((rank * 5) / rows.length)))
    return scores
  }) as [Uint8Array, Uint8Array, Uint8Array]
  const write = database.prepare(
    'update profiles set bare_recency = ?, bare_r = ?, bare_f = ?, bare_m = ?, bare_cell = ?, bare_label = ? where customer_id = ?',
  )
  rows.forEach(([id, , last], index) => {
    if (index % 5_000 === 0) database.exec(index === 0 ? 'begin immediate' : 'commit; begin immediate')
    const [r, f, m] = quintiles.map((scores) => scores[index] as number) as [number, number, number]
    write.run(
      Math.floor((Date.now() - last) / 86_400_000),
      r,
      f,
      m,
      `${r}${f}${m}`,
      r >= 4 && f >= 4 ? 'champions' : r <= 2 ? 'lost' : 'promising',
      id,
    )
  })
  database.exec('commit')
  const took = performance.now() - started
  database.close()
  return took
}
