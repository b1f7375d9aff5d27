import { transact } from '@huitou/core'
import { readColumns, writeProfiles } from '@huitou/core/profiles/columns'
import { sql } from 'kysely'
import { createBenchSegments } from './segments.ts'
import { cachedFolder, copyDatabase, scratchFolder } from './fixtures.ts'
import { type Bench, engine, openBench } from './huitou.ts'

/** The instant that all benchmarks on profiles count as now. */
export const now = Date.parse('2026-11-21T20:00:00+08:00')
const DAY = 86_400_000
const CITIES = [
  '上海市',
  '北京市',
  '广州市',
  '深圳市',
  '杭州市',
  '成都市',
  '武汉市',
  '苏州市',
  '南京市',
  '西安市',
  '重庆市',
  '长沙市',
]
const CATEGORIES = ['精华', '面霜', '面膜', '洁面', '防晒', '身体护理', '香氛家居', '茶饮食品']
const STEP = 20_000

/**
 * Huitou on a database with so many customers, each with the columns that a shop's orders fill. On SQLite it is a copy
 * of one made before; `segments` says whether twenty segments have been evaluated on it already.
 */
export async function openWithProfiles(customers: number, { segments = false } = {}): Promise<Bench> {
  const clock = { now: () => now }
  const fill = async ({ huitou }: Bench) => {
    while (await huitou.core.profiles.advance()) continue
    await huitou.core.scores.advance()
    await writeCustomers(huitou, customers)
    if (segments) await createBenchSegments(huitou.core)
    if (engine === 'postgres') return
    // The copy is of the main file alone.
    await sql`pragma wal_checkpoint(truncate)`.execute(huitou.core.database.db)
  }
  if (engine === 'postgres') {
    const bench = await openBench({ clock })
    await fill(bench)
    return bench
  }
  const made = await cachedFolder(`profiles-${customers}${segments ? '-segments' : ''}`, async (folder) => {
    await using bench = await openBench({ folder, clock })
    await fill(bench)
  })
  const scratch = scratchFolder()
  copyDatabase(made, scratch.path)
  const bench = await openBench({ folder: scratch.path, clock })
  return {
    ...bench,
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]()
      scratch[Symbol.dispose]()
    },
  }
}

async function writeCustomers({ core }: Bench['huitou'], customers: number): Promise<void> {
  const known = new Set((await readColumns(core.database.db)).map(({ name }) => name))
  for (let from = 1; from <= customers; from += STEP) {
    const rows = Array.from({ length: Math.min(STEP, customers - from + 1) }, (_, index) =>
      customer(from + index),
    )
    const columns = Object.entries(rows[0] ?? {})
      .filter(([name]) => name !== 'customer_id' && known.has(name))
      .map(([name, value]) => ({
        name,
        type: typeof value === 'string' ? ('text' as const) : ('integer' as const),
      }))
    await transact(core.database.db, (tx) => writeProfiles(tx, columns, rows))
  }
}

/** Values that follow from the number alone, spread by multiplication with primes. */
function customer(number: number): Record<string, number | string | null> {
  const spread = (prime: number, range: number) =>
    Math.floor((((number * prime) % 1_000_003) / 1_000_003) * range)
  // Every tenth is known but has not bought.
  const orders = number % 10 === 0 ? 0 : 1 + Math.floor(spread(7919, 100) ** 2 / 900)
  const spend = orders * (4_900 + spread(104_729, 60_000))
  const last = orders === 0 ? null : now - spread(15_485_863, 730) * DAY - spread(32_452_843, 86_400) * 1_000
  return {
    customer_id: number,
    key: `tb${number}`,
    first_seen_at: now - 900 * DAY,
    last_seen_at: last ?? now - 400 * DAY,
    event_count: orders * 6 + 1,
    t_name: `客户${number}`,
    t_city: CITIES[spread(611_953, CITIES.length)] ?? '',
    t_province: '浙江省',
    commerce_orders: orders,
    commerce_spend: spend,
    commerce_net_spend: spend,
    commerce_refunded: 0,
    commerce_average_basket: orders === 0 ? null : Math.round(spend / orders),
    commerce_first_order_at: last === null ? null : last - orders * 40 * DAY,
    commerce_last_order_at: last,
    commerce_orders_90d: last !== null && last > now - 90 * DAY ? 1 : 0,
    commerce_favourite_category: CATEGORIES[spread(49_979_687, CATEGORIES.length)] ?? '',
    commerce_views_30d: spread(86_028_121, 20),
  }
}
