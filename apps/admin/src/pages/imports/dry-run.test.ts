import type { ImportDryRun } from '@huitou/admin-kit'
import { expect, test } from 'vitest'
import { figuresOf, previewColumns } from './dry-run.ts'

const run: ImportDryRun = {
  rows: 12,
  groups: 9,
  events: { 'order.created': 9, 'order.paid': 7 },
  known: 0,
  customers: 5,
  newCustomers: 3,
  values: { 'order.created': { CNY: '900.00' }, 'order.paid': { CNY: '611.50' } },
  firstAt: null,
  lastAt: null,
  problemRows: 0,
  problems: [],
  preview: [],
}

test('a dry run shows what was paid, and that no row is a problem', () => {
  expect(figuresOf(run)).toEqual([
    { id: 'rows', value: 12 },
    { id: 'orders', value: 9 },
    { id: 'events', value: 16 },
    { id: 'customers', value: 5 },
    { id: 'newCustomers', value: 3 },
    { id: 'problemRows', value: 0 },
    { id: 'sum', value: 611.5, currency: 'CNY' },
  ])
})

test('a column that is the same in every row is left out of the preview', () => {
  const rows = [1, 2, 3].map((row) => ({ row, event: 'order.paid', currency: 'CNY', total: row * 10 }))
  expect(previewColumns(rows)).toEqual(['event', 'total'])
})

test('columns that no row of the preview fills are left out', () => {
  expect(
    previewColumns([
      { row: 2, event: 'order.paid', city: '' },
      { row: 3, event: 'order.paid', total: 3, user: null },
    ]),
  ).toEqual(['event', 'total'])
})
