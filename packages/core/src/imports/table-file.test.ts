import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { afterAll, expect, test } from 'vitest'
import { linesSource } from '../../test/import-fixture.ts'
import { inspectTable } from './inspect.ts'
import { IMPORT_LIMITS, type ImportLimits } from './limits.ts'
import { openTable } from './table-file.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'huitou-tables-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

async function read(content: string | Uint8Array, change: Partial<ImportLimits> = {}) {
  const limits = { ...IMPORT_LIMITS, ...change }
  const file = path.join(folder, `file-${++files}`)
  writeFileSync(file, content)
  const facts = await inspectTable(file, { name: 'orders.csv', recognise: linesSource.recognise, limits })
  const table = await openTable(file, facts.format, { limits })
  try {
    const rows = []
    for await (const batch of table.rows.batches()) rows.push(...batch)
    return { ...facts, rows: rows.filter(({ row }) => row > facts.headerRow) }
  } finally {
    table.close()
  }
}

const failure = (content: string | Uint8Array, change?: Partial<ImportLimits>) =>
  read(content, change).catch((error: unknown) => error)

const TABLE =
  '订单编号,买家会员名,数量,单价,订单创建时间\n1001,晴天,2,19.90,2026-11-01 10:24:00\n1002,小雨,1,5.00,2026-11-02 08:00:00\n'
const CELLS = [
  ['1001', '晴天', '2', '19.90', '2026-11-01 10:24:00'],
  ['1002', '小雨', '1', '5.00', '2026-11-02 08:00:00'],
]

/** Encodes with the platform's own table, read backwards. */
function gb18030(text: string): Uint8Array {
  const bytes: number[] = []
  const decoder = new TextDecoder('gb18030')
  const codes = new Map<string, [number, number]>()
  for (let high = 0x81; high <= 0xfe; high++) {
    for (let low = 0x40; low <= 0xfe; low++)
      if (low !== 0x7f) codes.set(decoder.decode(Uint8Array.of(high, low)), [high, low])
  }
  for (const char of text)
    bytes.push(...(char.charCodeAt(0) < 0x80 ? [char.charCodeAt(0)] : (codes.get(char) ?? [])))
  return Uint8Array.from(bytes)
}

const utf16le = Buffer.from(`\uFEFF${TABLE}`, 'utf16le')

test.each([
  { what: 'UTF-8', content: TABLE, encoding: 'utf-8' },
  { what: 'UTF-8 with a byte order mark', content: `\uFEFF${TABLE}`, encoding: 'utf-8' },
  { what: 'GB18030', content: gb18030(TABLE), encoding: 'gb18030' },
  { what: 'UTF-16', content: utf16le, encoding: 'utf-16le' },
  { what: 'UTF-16, big end first', content: Buffer.from(utf16le).swap16(), encoding: 'utf-16be' },
  { what: 'UTF-8 in gzip', content: gzipSync(TABLE), encoding: 'utf-8' },
  {
    what: 'GB18030 in a zip archive',
    content: zipSync({ 'ExportOrderList.csv': gb18030(TABLE) }),
    encoding: 'gb18030',
  },
])('a file in $what is read as written', async ({ content, encoding }) => {
  const { rows, format, headers } = await read(content)
  expect(format).toMatchObject({ kind: 'csv', encoding, delimiter: ',' })
  expect(headers).toEqual(['订单编号', '买家会员名', '数量', '单价', '订单创建时间'])
  expect(rows.map(({ cells }) => cells)).toEqual(CELLS)
})

test.each([',', '\t', ';', '|'])('cells may be separated by %j', async (delimiter) => {
  const { rows, format } = await read(TABLE.replaceAll(',', delimiter))
  expect(format).toMatchObject({ delimiter })
  expect(rows.map(({ cells }) => cells)).toEqual(CELLS)
})

test('commas inside quoted cells do not decide the separator', async () => {
  const { format, rows } = await read('order_id;note;price\n1;"a,b,c,d,e";2\n2;"f,g,h,i,j";3\n')
  expect(format).toMatchObject({ delimiter: ';' })
  expect(rows[0]?.cells).toEqual(['1', 'a,b,c,d,e', '2'])
})

test('cells as spreadsheets and shops write them come through untouched', async () => {
  const { rows } = await read(
    'order_id,phone,note\n="1930679858170647",\'18618486065,"\t6917926768823643751"\n2,"好评" 商品,"two\nlines"\n',
  )
  expect(rows.map(({ cells }) => cells)).toEqual([
    ['="1930679858170647"', "'18618486065", '\t6917926768823643751'],
    ['2', '"好评" 商品', 'two\nlines'],
  ])
})

test('notes above the headings are passed over, and rows keep the number a spreadsheet shows', async () => {
  const { headerRow, headers, rows } = await read(
    '订单导出,,\n\n导出时间：2026-11-21,,\norder_id,price,price\n\n7,1,2\n',
  )
  expect({ headerRow, headers }).toEqual({ headerRow: 4, headers: ['order_id', 'price', 'price'] })
  expect(rows).toEqual([{ row: 6, cells: ['7', '1', '2'] }])
})

test('a table named .xls that is a page in truth is read', async () => {
  const page =
    '<html><head><meta charset="utf-8"></head><body><table><tr><th>order_id</th><th>price</th></tr><tr><td>1 &amp; 2</td><td>3</td></tr></table></body></html>'
  const { rows, format } = await read(page)
  expect(format.kind).toBe('html')
  expect(rows.map(({ cells }) => cells)).toEqual([['1 & 2', '3']])
})

test('a file that nobody knows still has headings', async () => {
  const { headers, recognitions, sample } = await read('Report\nname,colour\nball,red\n')
  expect({ headers, recognitions, rows: sample.length }).toEqual({
    headers: ['name', 'colour'],
    recognitions: [],
    rows: 1,
  })
})

test('NUL characters are taken out', async () => {
  const { rows } = await read(`order_id,price\n1,2\0\n${'3,4\n'.repeat(20)}`)
  expect(rows[0]?.cells).toEqual(['1', '2'])
})

const old = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)])
const wide = Array.from({ length: 10_000 }, (_, index) => `column ${index}`).join(',')
const packed = gzipSync(TABLE.repeat(50))

test.each([
  { what: 'an empty file', content: '', code: 'E_FILE_EMPTY' },
  { what: 'a file of blank rows', content: '\n\n\n', code: 'E_FILE_EMPTY' },
  { what: 'headings without rows', content: 'order_id,price\n', code: 'E_FILE_NO_ROWS' },
  { what: 'an old Excel file', content: old, code: 'E_FILE_XLS' },
  {
    what: 'a protected workbook',
    content: Buffer.concat([old, Buffer.from('EncryptedPackage', 'utf16le')]),
    code: 'E_FILE_ENCRYPTED',
  },
  { what: 'a PDF', content: '%PDF-1.7 …', code: 'E_FILE_FORMAT' },
  {
    what: 'something binary',
    content: Buffer.alloc(4_000, Uint8Array.of(0, 0, 0, 7)),
    code: 'E_FILE_FORMAT',
  },
  { what: 'a gzip file cut in half', content: packed.subarray(0, packed.length / 2), code: 'E_FILE_CUT' },
  {
    what: 'a damaged gzip file',
    content: Buffer.concat([packed.subarray(0, 30), Buffer.alloc(30, 255), packed.subarray(60)]),
    code: 'E_FILE_DAMAGED',
  },
  {
    what: 'an archive cut in half',
    content: zipSync({ 'a.csv': Buffer.from(TABLE) }).subarray(0, 90),
    code: 'E_FILE_CUT',
  },
  {
    what: 'an archive of several tables',
    content: zipSync({ 'a.csv': Buffer.from(TABLE), 'b.csv': Buffer.from(TABLE) }),
    code: 'E_FILE_ARCHIVE',
  },
  { what: 'a file that ends inside a quoted cell', content: 'order_id,price\n1,"2', code: 'E_FILE_CUT' },
  { what: 'ten thousand columns', content: `order_id,${wide}\n1,2\n`, code: 'E_FILE_TOO_MANY_COLUMNS' },
])('$what is refused with $code', async ({ content, code }) => {
  expect(await failure(content)).toMatchObject({ code, kind: 'user', hint: expect.any(String) as string })
})

test('two thousand columns are read', async () => {
  const headings = Array.from({ length: 1_999 }, (_, index) => `c${index}`)
  const { headers } = await read(`order_id,${headings.join(',')}\n1\n`)
  expect(headers).toHaveLength(2_000)
})

test('a quotation mark that is never closed is told by its row', async () => {
  const error = await failure(`order_id,note\n1,fine\n2,"never closed\n${'3,more\n'.repeat(40_000)}`, {
    rowBytes: 100_000,
  })
  expect(error).toMatchObject({ code: 'E_FILE_QUOTE', details: { row: 3 } })
})

test('UTF-8 with a broken character is told by its row, not read as Chinese', async () => {
  const broken = Buffer.concat([
    Buffer.from(TABLE),
    Buffer.from('1003,'),
    Buffer.from([0xe6, 0x99, 0x41]),
    Buffer.from(',1,1,2026-11-01 00:00:00\n'),
  ])
  expect(await failure(broken)).toMatchObject({ code: 'E_FILE_ENCODING', details: { row: 4 } })
})

test('bytes that are neither UTF-8 nor GB18030 are told by their row', async () => {
  const bytes = Buffer.concat([gb18030(TABLE), Buffer.from([0x31, 0x2c, 0xff, 0xff, 0x0a])])
  expect(await failure(bytes)).toMatchObject({ code: 'E_FILE_ENCODING', details: { row: 4 } })
})

test('UTF-8 that stops inside a character was cut off', async () => {
  expect(await failure(Buffer.from(TABLE.repeat(3)).subarray(0, 40))).toMatchObject({ code: 'E_FILE_CUT' })
})

test('a file that unpacks to hundreds of times its size is refused', async () => {
  const bomb = gzipSync(Buffer.from(`order_id,price\n${'1,1\n'.repeat(2_000_000)}`))
  expect(await failure(bomb, { freeBytes: 1_000_000 })).toMatchObject({ code: 'E_FILE_ZIP_BOMB' })
})
