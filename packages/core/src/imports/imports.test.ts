import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createPostgresDatabase, type PostgresDatabase } from '@huitou/testing/postgres'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { importFile } from './import-file.ts'
import { createImportFixture, type ImportFixture, linesSource } from '../../test/import-fixture.ts'
import { importFiles } from './import-folder.ts'
import {
  cancelImport,
  checkImport,
  pauseImport,
  receiveUpload,
  resumeImport,
  setMapping,
  startImport,
} from './imports.ts'
import { getImportRecord } from './records.ts'

const HEAD = 'order_id,customer_id,quantity,price,time\n'
const folder = mkdtempSync(path.join(tmpdir(), 'huitou-imports-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Lines of `orders` orders, three each, one after another. */
function lines(orders: number, from = 0): string[] {
  return Array.from({ length: orders * 3 }, (_, index) => {
    const order = from + Math.floor(index / 3)
    return `${order},customer-${order % 50},${(index % 3) + 1},1.25,2026-11-01 10:24:00`
  })
}

async function* bodyOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

const upload = (fixture: ImportFixture, text: string) =>
  receiveUpload(fixture, bodyOf(text), { name: 'orders.csv', source: 'test.lines' })

async function logOf({ database }: ImportFixture) {
  const events = await database.db
    .selectFrom('events')
    .select(['message_id', 'body'])
    .where('source', '=', 'import')
    .orderBy('message_id')
    .execute()
  return events.map(({ message_id, body }) => [message_id, JSON.parse(body) as unknown])
}

async function settled(fixture: ImportFixture, id: string) {
  const { jobId } = await getImportRecord(fixture.database.db, id)
  await fixture.jobs.finished(jobId!)
  return await getImportRecord(fixture.database.db, id)
}

async function checkedThenImported(fixture: ImportFixture, text: string) {
  const { id } = await upload(fixture, text)
  await checkImport(fixture, id)
  expect(await settled(fixture, id)).toMatchObject({ state: 'checked', error: null })
  await startImport(fixture, id)
  return await settled(fixture, id)
}

describe.each(['sqlite', 'postgres'] as const)('on %s', (engine) => {
  let server: PostgresDatabase | undefined
  let fixture: ImportFixture
  let converted = 0
  let appended = () => {}
  beforeAll(async () => {
    if (engine === 'postgres') server = await createPostgresDatabase()
    fixture = await createImportFixture({
      url: server?.url,
      source: {
        convert(groups, mapping, headers) {
          converted += groups.length
          return linesSource.convert(groups, mapping, headers)
        },
      },
      onAppended: () => appended(),
    })
    fixture.work()
  })
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]()
    await server?.drop()
  })
  beforeEach(async () => {
    await fixture.database.db.deleteFrom('events').execute()
  })

  test('a dry run tells everything and writes nothing; the import then does just that', async () => {
    const text = `${HEAD}${lines(1_000).join('\n')}\n,nobody,1,1,2026-11-01 10:24:00\nbad,c,1,1,last week\n`
    const { id } = await upload(fixture, text)
    await checkImport(fixture, id)
    const checked = await settled(fixture, id)
    expect(checked.state).toBe('checked')
    expect(checked.dryRun).toMatchObject({
      rows: 3_002,
      groups: 1_000,
      events: { 'order.paid': 1_000 },
      known: 0,
      customers: 50,
      newCustomers: 50,
      values: { 'order.paid': { GBP: '7500.00' } },
      problemRows: 2,
    })
    expect(checked.dryRun?.problems).toMatchObject([
      { code: 'E_ROW_NO_ORDER_ID', count: 1, outcome: 'skipped', example: { row: 3_002 } },
      { code: 'E_ROW_TIME', count: 1, example: { row: 3_003, value: 'last week' } },
    ])
    expect(checked.dryRun?.preview[0]).toMatchObject({
      row: 2,
      event: 'order.paid',
      user: 'customer-0',
      order_id: '0',
      total: '7.50',
    })
    expect(await logOf(fixture)).toEqual([])

    await startImport(fixture, id)
    const done = await settled(fixture, id)
    expect(done).toMatchObject({
      state: 'done',
      result: { rows: 3_002, accepted: 1_000, duplicates: 0, problemRows: 2 },
    })
    expect(await logOf(fixture)).toHaveLength(1_000)
    const files = importFiles(fixture.dataDir, id)
    expect([existsSync(files.upload), existsSync(files.stage), existsSync(files.problems)]).toEqual([
      false,
      false,
      true,
    ])
  })

  test('importing the same file again adds nothing', async () => {
    const text = `${HEAD}${lines(300).join('\n')}\n`
    await checkedThenImported(fixture, text)
    const before = await logOf(fixture)
    const again = await checkedThenImported(fixture, text)
    expect(again.dryRun).toMatchObject({ known: 300 })
    expect(again.result).toMatchObject({ accepted: 0, duplicates: 300 })
    expect(await logOf(fixture)).toEqual(before)
  })

  test('a dry run tells who is new from who is known by any of their names', async () => {
    const { db } = fixture.database
    const known = [
      { id: 1, kind: 'user_id', value: 'customer-3', customer_id: 1, first_seen_at: 0 },
      { id: 2, kind: 'member_id', value: 'customer-4', customer_id: 2, first_seen_at: 0 },
    ]
    await db.insertInto('identifiers').values(known).execute()
    const { id } = await upload(fixture, `${HEAD}${lines(200).join('\n')}\n`)
    await checkImport(fixture, id)
    expect((await settled(fixture, id)).dryRun).toMatchObject({ customers: 50, newCustomers: 49, known: 0 })
    await db.deleteFrom('identifiers').execute()
  })

  test('a pause holds an import where it stands, and it goes on from there', async () => {
    const { id } = await upload(fixture, `${HEAD}${lines(20_000).join('\n')}\n`)
    await checkImport(fixture, id)
    await settled(fixture, id)
    const { promise: paused, resolve: pausing } = Promise.withResolvers<unknown>()
    appended = () => {
      appended = () => {}
      pausing(pauseImport(fixture, id))
    }
    await startImport(fixture, id)
    expect(await paused).toMatchObject({ state: 'paused' })
    const held = await settled(fixture, id)
    const { accepted } = JSON.parse(held.position!) as { accepted: number }
    expect(accepted).toBeGreaterThan(0)
    expect(accepted).toBeLessThan(20_000)
    expect(await logOf(fixture)).toHaveLength(accepted)
    converted = 0
    await resumeImport(fixture, id)
    const done = await settled(fixture, id)
    expect(done).toMatchObject({ state: 'done', result: { accepted: 20_000, duplicates: 0 } })
    expect(await logOf(fixture)).toHaveLength(20_000)
    expect(converted, 'an import appends what its check converted').toBe(0)
  })

  test('a cancelled import leaves its file behind nowhere', async () => {
    const { id } = await upload(fixture, `${HEAD}${lines(10).join('\n')}\n`)
    expect(await cancelImport(fixture, id)).toMatchObject({ state: 'cancelled' })
    expect(existsSync(importFiles(fixture.dataDir, id).upload)).toBe(false)
    await expect(startImport(fixture, id)).rejects.toMatchObject({ code: 'E_IMPORT_STATE', status: 409 })
  })
})

test('a dry run does not wait behind a long read', { timeout: 120_000 }, async () => {
  await using fixture = await createImportFixture()
  fixture.work()
  const { id } = await upload(fixture, `${HEAD}${lines(1_000).join('\n')}\n`)
  const ended: string[] = []
  const query = sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < 12000000) select max(i) from n`
  const read = query.execute(fixture.database.analytics).then(() => ended.push('read'))
  await checkImport(fixture, id)
  expect(await settled(fixture, id)).toMatchObject({ state: 'checked', dryRun: { rows: 3_000 } })
  ended.push('dry run')
  await read
  expect(ended).toEqual(['dry run', 'read'])
})

test('lines of an order may stand anywhere: any order of rows gives the same events', async () => {
  const rows = lines(40)
  const eventsOf = async (order: string[]) => {
    await using fixture = await createImportFixture()
    const file = path.join(fixture.dataDir, 'orders.csv')
    writeFileSync(file, HEAD + order.join('\n'))
    await importFile(fixture, { path: file, source: 'test.lines' })
    return await logOf(fixture)
  }
  const expected = await eventsOf(rows)
  expect(expected).toHaveLength(40)
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(rows, { minLength: rows.length }), async (order) => {
      expect(await eventsOf(order)).toEqual(expected)
    }),
    { numRuns: 8 },
  )
})

test('the file of problems holds the rows as they were, with reasons, and no formula', async () => {
  await using fixture = await createImportFixture()
  const file = path.join(folder, 'problems.csv')
  writeFileSync(
    file,
    `${HEAD}1,"=HYPERLINK(""evil"")",1,1,never\n2,b,1,1,2026-11-01 10:24:00,unquoted,rest\n3,c,1,1,2026-11-01 10:24:00\n4,cut`,
  )
  const { id, dryRun } = await importFile(fixture, { path: file, source: 'test.lines' })
  expect(dryRun).toMatchObject({ rows: 4, problemRows: 3, events: { 'order.paid': 1 } })
  expect(readFileSync(importFiles(fixture.dataDir, id).problems, 'utf8')).toBe(
    [
      '\uFEFFrow,outcome,code,reason,原因,column,value,order_id,customer_id,quantity,price,time',
      '2,skipped,E_ROW_TIME,The time cannot be read,The time cannot be read,time,never,1,"\'=HYPERLINK(""evil"")",1,1,never',
      '3,skipped,E_ROW_TOO_MANY_CELLS,"The row has 7 cells, the headings are 5: a separator inside a cell is not quoted",该行有 7 个单元格，表头只有 5 列：单元格里的分隔符没有加引号,,unquoted,2,b,1,1,2026-11-01 10:24:00,unquoted,rest',
      '5,skipped,E_ROW_CUT,The last row has 2 of 5 cells and no end: the file seems to have been cut off,最后一行只有 2 个单元格（应有 5 个）且没有换行：文件可能不完整,,,4,cut',
      '',
    ].join('\n'),
  )
})

test('a row is imported in spite of its problem when somebody says so, and the dry run shows it', async () => {
  await using fixture = await createImportFixture()
  const file = path.join(folder, 'mended.csv')
  const text = `${HEAD}1,a,1,1,2026-11-01 10:24:00,unquoted\n2,${'x'.repeat(40_000)},1,1,2026-11-01 10:24:00\n3,b,1,1,2026-11-01`
  writeFileSync(file, text)
  const codes = ['E_ROW_TOO_MANY_CELLS', 'E_ROW_CELL_TOO_LONG', 'E_ROW_CUT']
  const run = (options: Record<string, string>) =>
    importFile(fixture, { path: file, source: 'test.lines', dryRun: true, options })
  const { dryRun: strict } = await run({})
  expect(strict).toMatchObject({ problemRows: 2, groups: 1 })
  expect(strict?.problems.map(({ choices }) => choices.map(({ options }) => options))).toEqual([
    [{ E_ROW_TOO_MANY_CELLS: 'skipped' }, { E_ROW_TOO_MANY_CELLS: 'mended' }],
    [{ E_ROW_CELL_TOO_LONG: 'skipped' }, { E_ROW_CELL_TOO_LONG: 'mended' }],
  ])
  writeFileSync(file, text.slice(0, -'2026-11-01'.length - 1))
  const { dryRun } = await run(Object.fromEntries(codes.map((code) => [code, 'mended'])))
  expect(dryRun?.problems.map(({ code, outcome, count }) => [code, outcome, count])).toEqual([
    ['E_ROW_TOO_MANY_CELLS', 'mended', 1],
    ['E_ROW_CELL_TOO_LONG', 'mended', 1],
    ['E_ROW_CUT', 'mended', 1],
    ['E_ROW_TIME', 'skipped', 1],
    ['E_EVENT_ID_TOO_LONG', 'skipped', 1],
  ])
})

test('a wrong column that puts every row into one order costs no memory and is told', async () => {
  await using fixture = await createImportFixture()
  const file = path.join(folder, 'one.csv')
  writeFileSync(file, `${HEAD}${lines(4_000).join('\n')}\n`)
  const { dryRun, result } = await importFile(fixture, {
    path: file,
    source: 'test.lines',
    mapping: { order_id: 'price', time: 'time' },
  })
  expect(dryRun?.problems).toMatchObject([
    { code: 'E_ROW_GROUP_TOO_LARGE', count: 12_000, example: { value: '1.25' } },
  ])
  expect(result).toMatchObject({ accepted: 0, problemRows: 12_000 })
})

test('a group on which the source fails costs that group; failing on all fails the import', async () => {
  let poison = '7'
  await using fixture = await createImportFixture({
    source: {
      convert(groups, mapping, headers) {
        if (groups.some(({ key }) => poison === '*' || key === poison)) throw new Error('the plugin stumbled')
        return linesSource.convert(groups, mapping, headers)
      },
    },
  })
  const file = path.join(folder, 'poison.csv')
  writeFileSync(file, `${HEAD}${lines(20).join('\n')}\n`)
  const { dryRun } = await importFile(fixture, { path: file, source: 'test.lines' })
  expect(dryRun).toMatchObject({
    events: { 'order.paid': 19 },
    problems: [{ code: 'E_ROW_CONVERT', count: 3 }],
  })
  poison = '*'
  await expect(importFile(fixture, { path: file, source: 'test.lines' })).rejects.toThrow(
    'the plugin stumbled',
  )
})

test('an event that the log would refuse is a problem of its row', async () => {
  await using fixture = await createImportFixture()
  const file = path.join(folder, 'long.csv')
  writeFileSync(
    file,
    `${HEAD}1,a,1,1,2026-11-01 10:24:00\n2,${'x'.repeat(600)},1,1,2026-11-01 10:24:00\n3,${'y'.repeat(40_000)},1,1,2026-11-01 10:24:00\n`,
  )
  const { dryRun } = await importFile(fixture, { path: file, source: 'test.lines' })
  expect(dryRun?.events).toEqual({ 'order.paid': 1 })
  expect(dryRun?.problems).toMatchObject([
    { code: 'E_ROW_CELL_TOO_LONG', example: { row: 4 } },
    { code: 'E_EVENT_ID_TOO_LONG', example: { row: 3, value: 'order:2' } },
  ])
})

test('amounts below zero are summed as they are, and half a file tells its last row', async () => {
  await using fixture = await createImportFixture()
  const file = path.join(folder, 'negative.csv')
  writeFileSync(
    file,
    `${HEAD}1,a,1,-19.99,2026-11-01 10:24:00\n2,a,3,0.01,2026-11-01 10:24:00\n3,b,1,-0.05,2026-11-01 10:24:00\n4,b,1,5`,
  )
  const { dryRun, result } = await importFile(fixture, { path: file, source: 'test.lines' })
  expect(dryRun).toMatchObject({ rows: 4, problemRows: 1, values: { 'order.paid': { GBP: '-20.01' } } })
  expect(dryRun?.problems).toMatchObject([{ code: 'E_ROW_CUT', count: 1, example: { row: 5 } }])
  expect(result).toMatchObject({ accepted: 3 })
})

test('a new mapping makes the check void, and nothing starts unchecked', async () => {
  await using fixture = await createImportFixture()
  fixture.work()
  const { id, mapping } = await upload(fixture, `${HEAD}${lines(3).join('\n')}\n`)
  expect(mapping).toMatchObject({ format: 'lines', fields: { order_id: [0] } })
  await expect(startImport(fixture, id)).rejects.toMatchObject({ code: 'E_IMPORT_STATE' })
  await checkImport(fixture, id)
  await settled(fixture, id)
  expect(await setMapping(fixture, id, { order_id: 'order_id', time: 'time' })).toMatchObject({
    state: 'uploaded',
    dryRun: null,
  })
  await expect(startImport(fixture, id)).rejects.toMatchObject({ code: 'E_IMPORT_STATE' })
  await expect(setMapping(fixture, id, { order_id: 'ordr_id' })).rejects.toMatchObject({
    code: 'E_MAPPING_HEADING',
  })
})

test('who thinks better of the mapping during a check gets that of the new one, and asking twice checks once', async () => {
  await using fixture = await createImportFixture()
  fixture.work()
  const { id } = await upload(fixture, `${HEAD}${lines(10_000).join('\n')}\n`)
  const first = await checkImport(fixture, id)
  expect(await checkImport(fixture, id)).toMatchObject({ state: 'checking', jobId: first.jobId })
  const mapping = { order_id: 'order_id', time: 'time' }
  expect(await setMapping(fixture, id, mapping)).toMatchObject({ state: 'uploaded', dryRun: null })
  expect(await fixture.jobs.get(first.jobId!)).toMatchObject({ state: 'cancelled' })
  expect((await checkImport(fixture, id)).jobId).not.toBe(first.jobId)
  expect(await settled(fixture, id)).toMatchObject({
    state: 'checked',
    mapping: { fields: { order_id: [0], time: [4] } },
    dryRun: { rows: 30_000 },
  })
})

test('a file that cannot be read is refused and not kept', async () => {
  await using fixture = await createImportFixture()
  await expect(upload(fixture, '%PDF-1.7')).rejects.toMatchObject({ code: 'E_FILE_FORMAT' })
  await expect(
    receiveUpload(fixture, bodyOf(HEAD), { name: 'a.csv', source: 'test.line' }),
  ).rejects.toMatchObject({
    code: 'E_SOURCE_UNKNOWN',
    hint: 'Did you mean "test.lines"?',
  })
  const { rows } = await fixture.database.db
    .selectFrom('imports')
    .select(({ fn }) => fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow()
  expect(rows).toBe(0)
})

test('a file beyond the limit is refused while it arrives', async () => {
  await using fixture = await createImportFixture()
  await fixture.database.db
    .insertInto('settings')
    .values({ name: 'imports', value: '{"fileBytes":1000}' })
    .execute()
  await expect(upload(fixture, 'x'.repeat(2_000))).rejects.toMatchObject({
    code: 'E_FILE_TOO_LARGE',
    status: 413,
  })
  await expect(
    receiveUpload(fixture, bodyOf(HEAD), { name: 'a.csv', source: 'test.lines', size: 5_000 }),
  ).rejects.toMatchObject({ code: 'E_FILE_TOO_LARGE' })
})
