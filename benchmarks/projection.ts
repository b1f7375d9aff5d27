// How many events a second the loop folds into profiles: the demo shop, customer by customer as it is loaded, and in the
// order of time as events arrive in life. Reference: a bare loop that reads the log and counts per customer and name.
import path from 'node:path'
import { normalizeMessage, type NewEvent } from '@huitou/core'
import { generateDemoShop } from '@huitou/server'
import { openBareSqlite } from './harness/bare-sqlite.ts'
import { engine, numberArgument, openBench } from './harness/huitou.ts'
import { printResult, timed } from './harness/result.ts'

const customers = numberArgument('customers', 20_000)
const now = Date.parse('2026-11-21T20:00:00+08:00')

for (const order of ['by customer', 'by time'] as const) {
  await using bench = await openBench({ clock: { now: () => now } })
  const { core } = bench.huitou
  let total = 0
  const loaded = await timed(async () => {
    for (const batch of messages(order)) total += (await core.events.append(batch)).accepted
  })
  const reference =
    engine === 'sqlite' ? total / (bareCounts(path.join(bench.folder, 'huitou.db')) / 1_000) : undefined
  const folded = await timed(async () => {
    while (await core.profiles.advance()) continue
  })
  printResult({
    bench: 'projection',
    metric: `events folded, log ${order}`,
    value: total / (folded / 1_000),
    unit: 'events/s',
    reference,
    engine,
    events: total,
    appendedPerSecond: Math.round(total / (loaded / 1_000)),
    appendAndFoldSeconds: Math.round((loaded + folded) / 100) / 10,
  })
}

function* messages(order: 'by customer' | 'by time'): Generator<NewEvent[]> {
  const all =
    order === 'by time'
      ? [
          [...generateDemoShop({ now, customers })]
            .flat()
            .sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1)),
        ]
      : generateDemoShop({ now, customers })
  for (const batch of all) {
    for (let from = 0; from < batch.length; from += 4_000) {
      yield batch.slice(from, from + 4_000).map((message) => {
        const event = normalizeMessage(message, { source: 'demo', receivedAt: now })
        if (event instanceof Error) throw event
        return event
      })
    }
  }
}

/** Milliseconds of the least that has to be done: read, parse, find the customer, count. */
function bareCounts(file: string): number {
  const database = openBareSqlite(file)
  database.exec(
    'create table bare_counts (customer text not null, name text not null, count integer not null, primary key (customer, name))',
  )
  const read = database.prepare(
    'select seq, name, type, body from events where seq > ? order by seq limit 2000',
  )
  const upsert = database.prepare(
    'insert into bare_counts values (?, ?, ?) on conflict do update set count = count + excluded.count',
  )
  const started = performance.now()
  for (let after = 0; ;) {
    const rows = read.all(after) as { seq: number; name: string | null; type: string; body: string }[]
    if (rows.length === 0) break
    database.exec('begin immediate')
    for (const { name, type, body } of rows) {
      const { externalIds, anonymousId } = JSON.parse(body) as {
        externalIds?: { id: string }[]
        anonymousId?: string
      }
      upsert.run(externalIds?.[0]?.id ?? anonymousId ?? '', name ?? type, 1)
    }
    database.exec('commit')
    after = rows.at(-1)?.seq ?? after
  }
  const took = performance.now() - started
  database.exec('drop table bare_counts')
  database.close()
  return took
}
