// What the process of its own costs a plugin: RFM over 100,000 customers in this process, called as a function, and in
// the sandbox of a stranger's plugin, asked for through the host.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { apiVersion, toNumberVector, toTextVector } from '@huitou/plugin-api'
import type { ColumnBatch, Huitou, Plugin, Scorer } from '@huitou/plugin-api'
import { createPluginHost } from '@huitou/plugin-host'
import rfm from '@huitou/rfm'
import { numberArgument } from './harness/arguments.ts'
import { scratchFolder } from './harness/fixtures.ts'
import { median, printResult, timed } from './harness/result.ts'

const customers = numberArgument('customers', 100_000)
const rounds = numberArgument('rounds', 40)
const day = 86_400_000
const now = Date.parse('2026-11-21T20:00:00+08:00')
const brand = { currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'zh-CN' }

using scratch = scratchFolder()
const dir = path.join(scratch.path, 'rfm')
cpSync(path.join(import.meta.dirname, '../plugins/rfm'), dir, {
  recursive: true,
  filter: (file) => !file.includes('node_modules') && !file.endsWith('.test.ts'),
})
// The plugin that RFM needs is here in name only: its columns are made up below.
const needed = path.join(scratch.path, 'commerce')
mkdirSync(needed)
const manifest = {
  publisher: 'huitou',
  name: 'commerce',
  version: '1.0.0',
  engines: { huitou: apiVersion },
  displayName: 'Commerce',
  description: 'In name only',
}
writeFileSync(path.join(needed, 'package.json'), JSON.stringify(manifest))
await using host = await createPluginHost({
  plugins: [needed, dir].map((folder) => ({ dir: folder, trusted: false, enabled: true })),
  brand,
  effects: () => undefined,
})
const scorer = await scorerInProcess(host.getPlugin('huitou.rfm').settings)
const sandboxed = (batch: ColumnBatch) =>
  host.call('huitou.rfm', 'scorers', 'rfm', 'score', [batch, context()])
const inProcess = (batch: ColumnBatch) => scorer.score(batch, context())

// The first rounds pay for starting the process and for compiling on both sides.
for (let round = 0; round < 5; round++) {
  await sandboxed(createBatch())
  await inProcess(createBatch())
}
const ways = { sandboxed, inProcess }
const took: Record<keyof typeof ways, number[]> = { sandboxed: [], inProcess: [] }
for (let round = 0; round < rounds; round++) {
  // Each way goes first every other time, and what else the machine does meets both of a round alike.
  const names = ['sandboxed', 'inProcess'] as const
  for (const name of round % 2 === 0 ? names : names.toReversed()) {
    const batch = createBatch()
    took[name].push(await timed(() => ways[name](batch)))
  }
}
const ratios = took.sandboxed.map((ms, round) => ms / took.inProcess[round]!)
printResult({
  bench: 'sandbox',
  metric: `RFM of ${customers} customers in a process of its own`,
  value: median(took.sandboxed),
  unit: 'ms',
  reference: median(took.inProcess),
  budget: '≤ 1.3 × the reference',
  engine: 'sqlite',
  paired: Number(median(ratios).toFixed(2)),
  best: [Math.min(...took.sandboxed), Math.min(...took.inProcess)].map(Math.round),
  pluginMb: Math.round((host.getPlugin('huitou.rfm').running.memoryBytes ?? 0) / 1_048_576),
})

function context() {
  return { now, signal: new AbortController().signal }
}

async function scorerInProcess(values: object): Promise<Scorer> {
  let found: Scorer | undefined
  const registry = {
    register: (_id: string, implementation: Scorer) => ((found ??= implementation), { dispose() {} }),
  }
  const huitou = { settings: values, brand, scorers: registry, segmenters: registry, reports: registry }
  await (rfm as Plugin).activate(huitou as unknown as Huitou, { subscriptions: [], reason: 'benchmark' })
  if (!found) throw new Error('RFM registered no scorer')
  return found
}

/** What the core hands to RFM; a new one each time, because typed arrays move to the plugin. */
function createBatch(): ColumnBatch {
  const rows = Array.from({ length: customers }, (_, index) => index + 1)
  const spread = (number: number, prime: number, range: number) =>
    Math.floor((((number * prime) % 1_000_003) / 1_000_003) * range)
  const orders = rows.map((row) =>
    row % 10 === 0 ? undefined : 1 + Math.floor(spread(row, 7919, 100) ** 2 / 900),
  )
  const spend = rows.map(
    (row, index) => orders[index] && orders[index] * (4_900 + spread(row, 104_729, 60_000)),
  )
  return {
    ids: Float64Array.from(rows),
    columns: {
      key: toTextVector(rows.map((row) => `tb${row}`)),
      commerce_last_order_at: toNumberVector(
        rows.map((row, index) => orders[index] && now - spread(row, 15_485_863, 730) * day),
      ),
      commerce_orders: toNumberVector(orders),
      commerce_spend: toNumberVector(spend),
      commerce_net_spend: toNumberVector(spend),
    },
  }
}
