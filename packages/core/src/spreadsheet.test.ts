import { expect, test } from 'vitest'
import { readXlsx } from 'hucre/xlsx'
import { attachment, type Cell, toSpreadsheet } from './spreadsheet.ts'

async function* pages(...all: Cell[][][]) {
  yield* all
}

const table = () => ({
  name: '复购/回头客',
  headers: ['姓名', 'Spend'],
  pages: pages(
    [['=1+1', -5]],
    [
      ['a "b", c\n', 1.5],
      ['+86 138', null],
    ],
  ),
})

test('CSV opens in Excel, and no text in it runs as a formula', async () => {
  const bytes = new Uint8Array(await new Response(toSpreadsheet(table(), 'csv')).arrayBuffer())
  expect([...bytes.slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
  expect(new TextDecoder().decode(bytes)).toBe(
    `姓名,Spend\r\n'=1+1,-5\r\n"a ""b"", c\n",1.5\r\n'+86 138,\r\n`,
  )
})

test('XLSX keeps numbers as numbers and text as text', async () => {
  const bytes = new Uint8Array(await new Response(toSpreadsheet(table(), 'xlsx')).arrayBuffer())
  const [sheet] = (await readXlsx(bytes)).sheets
  expect(sheet?.name).toBe('复购 回头客')
  expect(sheet?.rows).toEqual([
    ['姓名', 'Spend'],
    ['=1+1', -5],
    ['a "b", c\n', 1.5],
    ['+86 138', null],
  ])
})

test('a file keeps its Chinese name', () => {
  expect(attachment('复购/客', 'csv')).toBe(
    `attachment; filename="__ _.csv"; filename*=UTF-8''${encodeURIComponent('复购 客')}.csv`,
  )
})
