// How many rows a second of an order file become events, checked and written, and whether memory grows with the file.
// Reference: a bare loop that reads the same file line by line and inserts its lines, a thousand a transaction.
import { fork } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import { importFile } from '@huitou/core'
import { openBareSqlite } from './harness/bare-sqlite.ts'
import { cachedFolder, scratchFolder } from './harness/fixtures.ts'
import { engine, numberArgument, openBench } from './harness/huitou.ts'
import { printResult } from './harness/result.ts'

const rows = numberArgument('rows', 1_000_000)

if (process.send) {
  // In a process of its own, so that the largest memory is this import's.
  const file = process.argv.at(-1) ?? ''
  await using bench = await openBench()
  const before = process.cpuUsage()
  const started = performance.now()
  const { state, result } = await importFile(bench.huitou.core, { path: file, source: 'commerce.orders' })
  process.send({
    ms: performance.now() - started,
    // Of all threads; unlike the time it took, it hardly depends on what else the machine does.
    cpu: process.cpuUsage(before),
    rssMb: process.resourceUsage().maxRSS / 1_024,
    state,
    result,
  })
  process.disconnect?.()
} else {
  for (const size of [Math.round(rows / 4), rows]) {
    const folder = await cachedFolder(`orders-${size}.csv`, (place) =>
      writeOrders(path.join(place, 'orders.csv'), size),
    )
    const file = path.join(folder, 'orders.csv')
    const reference = engine === 'sqlite' ? await bareImport(file) : undefined
    const child = fork(import.meta.filename, [...process.argv.slice(2), file])
    const { ms, cpu, rssMb, state, result } = await new Promise<{
      ms: number
      cpu: NodeJS.CpuUsage
      rssMb: number
      state: string
      result: { rows: number; accepted: number }
    }>((resolve, reject) => {
      child.once('message', (message) => resolve(message as never))
      child.once('exit', (code) => code !== 0 && reject(new Error(`The import ended with ${code}`)))
    })
    if (state !== 'done') throw new Error(`The import is ${state}`)
    printResult({
      bench: 'import',
      metric: `${size} rows of CSV`,
      value: size / (ms / 1_000),
      unit: 'rows/s',
      reference,
      engine,
      events: result.accepted,
      cpuMicrosecondsPerRow: Math.round((cpu.user + cpu.system) / size),
      peakRssMb: Math.round(rssMb),
    })
  }
}

async function writeOrders(file: string, count: number): Promise<void> {
  const stream = createWriteStream(file)
  stream.write(
    '订单编号,买家会员名,商品标题,商品数量,商品价格,买家实际支付金额,订单状态,订单创建时间,订单付款时间,收货地址\n',
  )
  for (let row = 0; row < count; row++) {
    const order = Math.floor(row / 2)
    const time = new Date(Date.parse('2025-01-01T00:00:00Z') + order * 45_000)
      .toISOString()
      .slice(0, 19)
      .replace('T', ' ')
    const line = `${2_026_000_000_000 + order},tb${(order * 7_919) % 200_003},修护精华 30ml,1,329.00,658.00,交易成功,${time},${time},浙江省 杭州市 西湖区\n`
    if (!stream.write(line)) await once(stream, 'drain')
  }
  stream.end()
  await finished(stream)
}

async function bareImport(file: string): Promise<number> {
  using scratch = scratchFolder()
  const database = openBareSqlite(path.join(scratch.path, 'bare.db'))
  database.exec('create table lines (id integer primary key, order_id text, line text)')
  database.exec('create index lines_order on lines (order_id)')
  const insert = database.prepare('insert into lines (order_id, line) values (?, ?)')
  const started = performance.now()
  let count = 0
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (count++ % 1_000 === 0) database.exec(count === 1 ? 'begin immediate' : 'commit; begin immediate')
    insert.run(line.split(',')[0], line)
  }
  database.exec('commit')
  const took = performance.now() - started
  database.close()
  return count / (took / 1_000)
}
