import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type {
  Conversion,
  FileSample,
  Recognition,
  RowGroup,
  RowProblem,
  Source,
  SourceEvent,
  SourceField,
} from '@huitou/plugin-api'
import { copySqliteDatabase } from '@huitou/testing/sqlite'
import { systemClock } from '../src/clock.ts'
import { type Database, openDatabase } from '../src/db/database.ts'
import { migrate } from '../src/db/migrate.ts'
import { createJobs } from '../src/jobs/jobs.ts'
import { createPoints, type PointOwner } from '../src/points/points.ts'
import { coreMigrations } from '../src/schema.ts'
import { readBrand } from '../src/settings/brand.ts'
import type { ImportContext } from '../src/imports/import-context.ts'
import { defineImportJobs } from '../src/imports/imports.ts'
import { tablesTemplate } from './tables-template.ts'

const FIELDS: SourceField[] = [
  { id: 'order_id', title: 'Order', type: 'id', required: true },
  { id: 'customer_id', title: 'Customer', type: 'id' },
  { id: 'quantity', title: 'Quantity', type: 'number' },
  { id: 'price', title: 'Price', type: 'money' },
  { id: 'time', title: 'Time', type: 'time' },
]

const HEADINGS: Record<string, string[]> = {
  order_id: ['order_id', 'invoiceno', '订单编号'],
  customer_id: ['customer_id', 'customerid', '买家会员名'],
  quantity: ['quantity', '数量'],
  price: ['price', 'unitprice', '单价'],
  time: ['time', 'invoicedate', '订单创建时间'],
}

/** A source of order lines, as small as one can be: an order with a time becomes one event. */
export const linesSource: Required<Source> = {
  recognise({ headers }: FileSample): Recognition[] {
    const fields: Record<string, number[]> = {}
    for (const [field, names] of Object.entries(HEADINGS)) {
      const positions = headers.flatMap((header, position) =>
        names.includes(header.trim().toLowerCase()) ? [position] : [],
      )
      if (positions.length > 0) fields[field] = positions
    }
    const found = Object.keys(fields).length
    if (!fields['order_id']) return []
    return [
      {
        format: 'lines',
        title: 'Order lines',
        confidence: found / 5,
        mapping: { format: 'lines', fields, options: { currency: 'GBP' } },
        doubts: [],
      },
    ]
  },
  groupKeys(rows, mapping) {
    const column = mapping.fields['order_id']?.[0] ?? 0
    return rows.map(({ cells }) => unwrap(cells[column] ?? '') || null)
  },
  convert(groups, mapping): Conversion {
    const events: SourceEvent[] = []
    const problems: RowProblem[] = []
    const at = (cells: string[], field: string) => unwrap(cells[mapping.fields[field]?.[0] ?? -1] ?? '')
    for (const group of groups) {
      const first = group.rows[0]!
      if (group.key === '') {
        problems.push({
          row: first.row,
          code: 'E_ROW_NO_ORDER_ID',
          message: 'The row names no order',
          outcome: 'skipped',
        })
        continue
      }
      const timestamp = Date.parse(`${at(first.cells, 'time').replace(' ', 'T')}Z`)
      if (Number.isNaN(timestamp)) {
        problems.push({
          row: first.row,
          code: 'E_ROW_TIME',
          message: 'The time cannot be read',
          column: 'time',
          value: at(first.cells, 'time'),
          outcome: 'skipped',
        })
        continue
      }
      events.push({
        messageId: `order:${group.key}`,
        type: 'track',
        event: 'order.paid',
        userId: at(first.cells, 'customer_id') || `guest:${group.key}`,
        timestamp,
        properties: {
          order_id: group.key,
          total: totalOf(group, at),
          currency: 'GBP',
          lines: group.rows.length,
        },
      })
    }
    return { events, problems }
  },
  handleWebhook: () => ({ status: 404 }),
}

function totalOf(group: RowGroup, at: (cells: string[], field: string) => string): string {
  let cents = 0
  for (const { cells } of group.rows)
    cents += Math.round(Number(at(cells, 'quantity')) * Number(at(cells, 'price')) * 100)
  return (cents / 100).toFixed(2)
}

function unwrap(cell: string): string {
  return /^="?(.*?)"?$/.exec(cell.trim())?.[1] ?? cell.trim()
}

const OWNER: PointOwner = {
  plugin: 'test',
  prefix: 'test',
  text: (text) => (typeof text === 'string' ? { en: text, 'zh-CN': text } : text),
}

export interface ImportFixture extends ImportContext, AsyncDisposable {
  /** Runs jobs until the end of the test. */
  work(): void
}

/** A context for imports on a database of its own, with the source `test.lines`. Disposed by scope. */
export async function createImportFixture(
  options: { dataDir?: string; url?: string; source?: Partial<Source>; onAppended?: () => void } = {},
): Promise<ImportFixture> {
  const dataDir = options.dataDir ?? mkdtempSync(path.join(tmpdir(), 'huitou-imports-'))
  const file = path.join(dataDir, 'huitou.db')
  if (!options.url && !existsSync(file)) await copySqliteDatabase(tablesTemplate, file)
  const database: Database = openDatabase(options.url ? { url: options.url } : { file, readers: 1 })
  await migrate(database, 'core', coreMigrations)
  const points = createPoints()
  points.sources.add(OWNER, 'test.lines', {
    id: 'lines',
    title: 'Order lines',
    fields: FIELDS,
    run: { ...linesSource, ...options.source },
  })
  points.eventTypes.add(OWNER, 'order.paid', {
    name: 'order.paid',
    title: 'Paid',
    value: 'total',
    valueType: 'money',
  })
  const jobs = createJobs({ database, clock: systemClock })
  const stop = new AbortController()
  let working: Promise<void> | undefined
  const context: ImportFixture = {
    database,
    clock: systemClock,
    points,
    jobs,
    dataDir,
    log: { info() {}, warn() {}, error() {} },
    brand: () => readBrand(database.db),
    ...(options.onAppended && { onAppended: options.onAppended }),
    work() {
      working ??= jobs.run(stop.signal)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await working
      await database.close()
      if (!options.dataDir) rmSync(dataDir, { recursive: true, force: true })
    },
  }
  defineImportJobs(context)
  return context
}
