import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { strToU8, zipSync } from 'fflate'
import { afterAll, expect, test } from 'vitest'
import { linesSource } from '../../test/import-fixture.ts'
import { inspectTable } from './inspect.ts'
import { IMPORT_LIMITS, type ImportLimits } from './limits.ts'
import { openTable } from './table-file.ts'
import { numberKind, numberText, serialDate } from './xlsx-formats.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'huitou-workbooks-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'

interface Book {
  /** XML of the rows by sheet. */
  sheets: Record<string, string>
  strings?: string[]
  styles?: string
  workbook?: string
}

function workbook({ sheets, strings = [], styles, workbook: properties = '' }: Book): Uint8Array {
  const names = Object.keys(sheets)
  const members: Record<string, string> = {
    '[Content_Types].xml': '<Types/>',
    'xl/workbook.xml': `<workbook xmlns:r="${RELATIONS}">${properties}<sheets>${names.map((name, index) => `<sheet name="${name}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`).join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships>${names.map((_, index) => `<Relationship Id="rId${index + 1}" Target="worksheets/sheet${index + 1}.xml"/>`).join('')}</Relationships>`,
    'xl/sharedStrings.xml': `<sst>${strings.join('')}</sst>`,
    'xl/styles.xml': styles ?? '<styleSheet><cellXfs><xf numFmtId="0"/></cellXfs></styleSheet>',
  }
  names.forEach(
    (name, index) =>
      (members[`xl/worksheets/sheet${index + 1}.xml`] =
        `<worksheet><sheetData>${sheets[name]}</sheetData></worksheet>`),
  )
  return zipSync(
    Object.fromEntries(
      Object.entries(members).map(([name, xml]) => [
        name,
        strToU8(`<?xml version="1.0" encoding="UTF-8"?>${xml}`),
      ]),
    ),
  )
}

const inline = (reference: string, text: string) =>
  `<c r="${reference}" t="inlineStr"><is><t>${text}</t></is></c>`
const HEADINGS = `<row r="1">${inline('A1', 'order_id')}${inline('B1', 'price')}${inline('C1', 'time')}</row>`

async function read(content: Uint8Array, change: Partial<ImportLimits> = {}) {
  const limits = { ...IMPORT_LIMITS, ...change }
  const file = path.join(folder, `book-${++files}`)
  writeFileSync(file, content)
  const facts = await inspectTable(file, { name: 'orders.xlsx', recognise: linesSource.recognise, limits })
  const table = await openTable(file, facts.format, { limits })
  try {
    const rows = []
    for await (const batch of table.rows.batches()) rows.push(...batch)
    return { ...facts, rows: rows.filter(({ row }) => row > facts.headerRow) }
  } finally {
    table.close()
  }
}

const STYLES =
  '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy/m/d\\ h:mm;@"/><numFmt numFmtId="165" formatCode="&quot;日&quot;0.00"/></numFmts>' +
  '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>'

test('every kind of cell comes out as a person reads it', async () => {
  const rows =
    HEADINGS +
    '<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2"><v>19.989999999999998</v></c><c r="C2" s="1"><v>46327</v></c></row>' +
    '<row r="3"><c r="A3"><v>1930679858170647123</v></c><c r="B3" s="3"><v>598</v></c><c r="C3" s="2"><v>46327.433333333334</v></c></row>' +
    '<row r="5"><c r="A5"><v>1.9306798581706469E+18</v></c><c r="B5" t="b"><v>1</v></c><c r="C5" t="str"><f>A1</f><v>a_x000D_&#10;b</v></c></row>'
  const book = workbook({
    sheets: { Orders: rows },
    strings: ['<si><r><t>10</t></r><r><t>01</t></r><rPh><t>yomi</t></rPh></si>'],
    styles: STYLES,
  })
  expect((await read(book)).rows).toEqual([
    { row: 2, cells: ['1001', '19.99', '2026-11-01'] },
    { row: 3, cells: ['1930679858170647123', '598', '2026-11-01 10:24:00'] },
    { row: 5, cells: ['1.9306798581706469E+18', 'TRUE', 'a\r\nb'] },
  ])
})

test('the sheet with the orders is found behind a cover and a summary', async () => {
  const order = `${HEADINGS}<row r="2"><c r="A2"><v>7</v></c></row>`
  const { format, rows } = await read(
    workbook({
      sheets: {
        Cover: `<row r="1">${inline('A1', 'Report')}</row>`,
        Sums: `<row r="1">${inline('A1', 'price')}${inline('B1', 'x')}</row><row r="2"><c r="A2"><v>1</v></c></row>`,
        订单: order,
      },
    }),
  )
  expect(format).toMatchObject({ kind: 'xlsx', sheetName: '订单' })
  expect(rows.map(({ cells }) => cells)).toEqual([['7']])
})

test('a workbook packed once more with gzip is read', async () => {
  const { rows } = await read(
    gzipSync(workbook({ sheets: { Orders: `${HEADINGS}<row r="2"><c r="C2"><v>7</v></c></row>` } })),
  )
  expect(rows).toEqual([{ row: 2, cells: ['', '', '7'] }])
})

test('columns of cells without a reference are counted', async () => {
  const { rows } = await read(
    workbook({ sheets: { Orders: `${HEADINGS}<row><c><v>1</v></c><c/><c><v>3</v></c></row>` } }),
  )
  expect(rows).toEqual([{ row: 2, cells: ['1', '', '3'] }])
})

const bombRows = `${HEADINGS}${'<row><c><v>1</v></c></row>'.repeat(200_000)}`
const good = workbook({ sheets: { Orders: `${HEADINGS}<row><c><v>1</v></c></row>` } })

test.each([
  {
    what: 'a zip bomb',
    content: workbook({ sheets: { Orders: bombRows } }),
    limits: { freeBytes: 1_000_000, unpackRatio: 100 },
    code: 'E_FILE_ZIP_BOMB',
  },
  {
    what: 'a workbook cut in half',
    content: good.subarray(0, good.length / 2),
    limits: {},
    code: 'E_FILE_CUT',
  },
  { what: 'a sheet that stops early', content: halfSheet(), limits: {}, code: 'E_FILE_CUT' },
  {
    what: 'more texts than memory holds',
    content: workbook({
      sheets: { Orders: HEADINGS },
      strings: Array.from({ length: 5_000 }, (_, index) => `<si><t>text number ${index}</t></si>`),
    }),
    limits: { stringBytes: 10_000 },
    code: 'E_FILE_TOO_MANY_STRINGS',
  },
  {
    what: 'a cell far to the right',
    content: workbook({ sheets: { Orders: `${HEADINGS}<row><c r="XFD2"><v>1</v></c></row>` } }),
    limits: {},
    code: 'E_FILE_TOO_MANY_COLUMNS',
  },
  {
    what: 'an OpenDocument table',
    content: zipSync({ 'content.xml': strToU8('<a/>') }),
    limits: {},
    code: 'E_FILE_FORMAT',
  },
  {
    what: 'an archive with too many members',
    content: zipSync(
      Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}.bin`, new Uint8Array()])),
    ),
    limits: { zipEntries: 50 },
    code: 'E_FILE_DAMAGED',
  },
])('$what is refused with $code', async ({ content, limits, code }) => {
  expect(await read(content, limits).catch((error: unknown) => error)).toMatchObject({ code, kind: 'user' })
})

function halfSheet(): Uint8Array {
  const book = workbook({ sheets: { Orders: 'REPLACED' } })
  // Rebuilt rather than cut: the archive itself is whole, only the document in it is not.
  return zipSync({
    '[Content_Types].xml': strToU8('<Types/>'),
    'xl/workbook.xml': strToU8(
      `<workbook xmlns:r="${RELATIONS}"><sheets><sheet name="a" r:id="rId1"/></sheets></workbook>`,
    ),
    'xl/_rels/workbook.xml.rels': strToU8(
      '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>',
    ),
    'xl/worksheets/sheet1.xml': strToU8(
      `<worksheet><sheetData>${HEADINGS}<row r="2"><c r="A2"><v>1</v></c></row><row r="3"><c`,
    ),
    'xl/media/unused.bin': book,
  })
}

test.each([
  ['yyyy-mm-dd', 'date'],
  ['yyyy/m/d\\ h:mm;@', 'datetime'],
  ['[$-804]yyyy"年"m"月"d"日"', 'date'],
  ['h:mm:ss', 'time'],
  ['[h]:mm', 'number'],
  ['#,##0.00', 'number'],
  ['"day" 0.00', 'number'],
  ['General', 'number'],
  ['mm:ss.0', 'time'],
] as const)('the format %s is a %s', (code, kind) => {
  expect(numberKind(164, code)).toBe(kind)
})

test('dates are exact to the second, in both calendars of Excel', () => {
  expect(serialDate(46327.99999, 'datetime', false)).toBe('2026-11-01 23:59:59')
  expect(serialDate(0.5, 'time', false)).toBe('12:00:00')
  expect(serialDate(44865, 'date', true)).toBe('2026-11-01')
  expect(serialDate(-1, 'date', false)).toBeUndefined()
})

test('numbers lose the noise of binary fractions and nothing else', () => {
  expect(
    ['19.989999999999998', '0.10000000000000001', '12345678901234567890', '1E+20', '-3.5'].map(numberText),
  ).toEqual(['19.99', '0.1', '12345678901234567890', '1E+20', '-3.5'])
})
