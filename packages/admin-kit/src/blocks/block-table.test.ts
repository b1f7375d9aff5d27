import { describe, expect, test } from 'vitest'
import { sortRows, toTable } from './block-table.ts'
import type { TableWords } from './block-table.ts'
import { gridRange, heatStep } from './heat.ts'

const words: TableWords = {
  name: 'Name',
  value: 'Value',
  previous: 'Before',
  from: 'From',
  to: 'To',
  size: 'Size',
  share: 'Share',
}

describe('the table behind a chart', () => {
  test('a line has one row a category and keeps the customers behind it', () => {
    expect(
      toTable(
        {
          kind: 'line',
          type: 'integer',
          categories: ['Nov', 'Dec'],
          series: [{ id: 'now', title: 'Now', values: [1, null] }],
          behind: [{ month: 11 }, null],
        },
        words,
      )?.rows,
    ).toEqual([
      { name: 'Nov', now: 1, $behind: { month: 11 } },
      { name: 'Dec', now: null },
    ])
  })

  test('a funnel says which share of the step before went on', () => {
    const table = toTable(
      { kind: 'funnel', steps: [step('sent', 200), step('opened', 50), step('none', 0), step('bought', 0)] },
      words,
    )
    expect(table?.rows.map((row) => row['share'])).toEqual([1, 0.25, 0, null])
  })

  test('a heat map has one row a cell and one column a measure', () => {
    const table = toTable(
      {
        kind: 'heatmap',
        x: [{ id: 'r1', title: 'R1' }],
        y: [
          { id: 'f2', title: 'F2' },
          { id: 'f1', title: 'F1' },
        ],
        measures: [{ id: 'n', title: 'People', type: 'integer', values: [[3], [7]] }],
      },
      words,
    )
    expect(table?.rows).toEqual([
      { y: 'F2', x: 'R1', n: 3 },
      { y: 'F1', x: 'R1', n: 7 },
    ])
  })

  test('text has no table', () => {
    expect(toTable({ kind: 'text', text: 'Nothing yet' }, words)).toBeUndefined()
  })
})

test('rows without a value stand last, whichever way one sorts', () => {
  const rows = [{ n: 2 }, { n: null }, { n: 10 }]
  expect(sortRows(rows, 'n', 'asc').map((row) => row.n)).toEqual([2, 10, null])
  expect(sortRows(rows, 'n', 'desc').map((row) => row.n)).toEqual([10, 2, null])
})

test('the smallest cell takes the lightest step and the largest the darkest', () => {
  const range = gridRange([
    [204, 1471],
    [null, 640],
  ])
  expect([204, 640, 1471, null].map((value) => heatStep(value, range))).toEqual([1, 3, 7, undefined])
  expect(heatStep(5, [5, 5])).toBe(4)
})

function step(id: string, value: number) {
  return { id, title: id, value }
}
