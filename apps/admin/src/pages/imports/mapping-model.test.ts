import { expect, test } from 'vitest'
import {
  assignColumn,
  chosenAt,
  columnRows,
  mappedCount,
  missingFields,
  withChoice,
} from './mapping-model.ts'

const mapping = { format: 'tmall-orders', fields: { order_id: [0], phone: [2, 1] }, options: {} }
const file = {
  headers: ['订单编号', '手机', '联系手机', '备注'],
  sample: [
    ['1', '', '138****2046', ''],
    ['2', '139', '', '送礼'],
  ],
  doubts: [{ position: 2, reason: 'masked' }],
}

test('columns in doubt come first, then the file’s order', () => {
  expect(columnRows(file, mapping).map((row) => [row.heading, row.field, row.example])).toEqual([
    ['联系手机', 'phone', '138****2046'],
    ['订单编号', 'order_id', '1'],
    ['手机', 'phone', '139'],
    ['备注', '', '送礼'],
  ])
})

test('a column fills one field at a time and joins the end of the line there', () => {
  expect(assignColumn(mapping, 0, 'phone').fields).toEqual({ phone: [2, 1, 0] })
  expect(assignColumn(mapping, 3, 'note').fields).toEqual({ ...mapping.fields, note: [3] })
})

test('leaving the only column of a field out frees the field', () => {
  expect(assignColumn(mapping, 0, '').fields).toEqual({ phone: [2, 1] })
  expect(mapping.fields).toEqual({ order_id: [0], phone: [2, 1] })
})

test('what is required and not filled is named', () => {
  const fields = [{ id: 'order_id', required: true }, { id: 'total', required: true }, { id: 'note' }]
  expect(missingFields(fields, mapping)).toEqual(['total'])
  expect(mappedCount(mapping)).toBe(3)
})

test('what is done about a problem is the first choice until somebody takes another', () => {
  const choices = [{ options: { E_ROW_MONEY: 'mended' } }, { options: { E_ROW_MONEY: 'skipped' } }]
  const mapping = { format: 'generic', fields: {}, options: { shop: 'main' } }
  expect(chosenAt(choices, mapping)).toBe(0)
  const chosen = withChoice(mapping, choices[1]!)
  expect(chosenAt(choices, chosen)).toBe(1)
  expect(chosen.options).toEqual({ shop: 'main', E_ROW_MONEY: 'skipped' })
})
