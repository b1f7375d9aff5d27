import type { Recognition, SourceField } from '@huitou/plugin-api'
import { expect, test } from 'vitest'
import { checkRequired, distinctHeadings, fieldsOfColumns, readMapping } from './mapping.ts'

const fields: SourceField[] = [
  { id: 'order_id', title: 'Order', type: 'id', required: true },
  { id: 'customer_id', title: 'Customer', type: 'id' },
  { id: 'freight', title: 'Freight', type: 'money' },
]
const headers = ['InvoiceNo', 'CustomerID', '运费', '运费', 'Note ']
const recognitions: Recognition[] = [
  {
    format: 'invoice',
    title: 'Invoices',
    confidence: 1,
    doubts: [],
    mapping: { format: 'invoice', fields: { order_id: [0], freight: [2, 3] }, options: { currency: 'GBP' } },
  },
]
const target = { headers, fields, recognitions }

test('a map by field names columns by their headings, whatever their case and spaces', () => {
  expect(
    readMapping(
      { order_id: 'invoiceno', customer_id: ['CustomerID', 'Note'], options: { timeZone: 'UTC' } },
      target,
    ),
  ).toEqual({
    format: 'invoice',
    fields: { order_id: [0], customer_id: [1, 4] },
    options: { currency: 'GBP', timeZone: 'UTC' },
  })
})

test('a heading that stands twice means both columns, in their order', () => {
  expect(readMapping({ freight: '运费' }, target).fields).toEqual({ freight: [2, 3] })
  expect(readMapping({ freight: '运费 (2)' }, target).fields).toEqual({ freight: [3] })
  expect(distinctHeadings(headers)).toEqual(['InvoiceNo', 'CustomerID', '运费', '运费 (2)', 'Note '])
})

test('edits by column change only the columns that they change', () => {
  const present = recognitions[0]!.mapping
  const columns = fieldsOfColumns(present.fields, headers)
  expect(columns).toEqual({
    InvoiceNo: 'order_id',
    CustomerID: null,
    运费: 'freight',
    '运费 (2)': 'freight',
    'Note ': null,
  })
  expect(readMapping({ ...present, columns }, { ...target, present })).toEqual(present)
  expect(
    readMapping({ ...present, fields: { order_id: [1] }, columns }, { ...target, present }).fields,
  ).toEqual({ order_id: [1] })
  expect(
    readMapping({ columns: { ...columns, CustomerID: 'customer_id', 运费: null } }, { ...target, present })
      .fields,
  ).toEqual({ order_id: [0], freight: [3], customer_id: [1] })
})

test('another format starts from what was recognised of it, and keeps what a person chose', () => {
  const refunds: Recognition = {
    format: 'refunds',
    title: 'Refunds',
    confidence: 0.6,
    doubts: [],
    mapping: {
      format: 'refunds',
      fields: { order_id: [1] },
      options: { currency: 'EUR', timeZone: 'Asia/Shanghai', sign: -1 },
    },
  }
  const both = { ...target, recognitions: [...recognitions, refunds] }
  const untouched = recognitions[0]!.mapping
  expect(readMapping({ format: 'refunds' }, { ...both, present: untouched })).toEqual(refunds.mapping)
  const chosen = {
    ...untouched,
    options: { currency: 'GBP', timeZone: 'Europe/London', shop: 'main', rounding: 'up' },
  }
  expect(readMapping({ format: 'refunds' }, { ...both, present: chosen })).toEqual({
    ...refunds.mapping,
    options: { currency: 'EUR', timeZone: 'Europe/London', shop: 'main', sign: -1 },
  })
  expect(
    readMapping({ format: 'refunds', options: { currency: 'USD' } }, { ...both, present: chosen }).options,
  ).toMatchObject({ currency: 'USD' })
  expect(
    readMapping(
      { format: 'refunds', columns: { CustomerID: null, InvoiceNo: 'order_id' } },
      { ...both, present: chosen },
    ).fields,
  ).toEqual({ order_id: [0] })
})

test('saying the format in use again changes nothing', () => {
  const present = { format: 'invoice', fields: { order_id: [1] }, options: { currency: 'USD' } }
  expect(readMapping({ format: 'invoice' }, { ...target, present })).toEqual(present)
  expect(readMapping({ options: { shop: 'main' } }, { ...target, present })).toEqual({
    ...present,
    options: { currency: 'USD', shop: 'main' },
  })
})

test('what does not exist is refused by name, with what comes close', () => {
  expect(() => readMapping({ order_id: 'InvoiceNr' }, target)).toThrow(
    expect.objectContaining({ code: 'E_MAPPING_HEADING', hint: 'Did you mean "InvoiceNo"?' }),
  )
  expect(() => readMapping({ orderid: 'InvoiceNo' }, target)).toThrow(
    expect.objectContaining({ code: 'E_MAPPING_FIELD', message: 'There is no field "orderid"' }),
  )
  expect(() => readMapping({ fields: { order_id: [9] } }, target)).toThrow(
    expect.objectContaining({ code: 'E_MAPPING_COLUMN' }),
  )
  expect(() => readMapping([], target)).toThrow(expect.objectContaining({ code: 'E_MAPPING' }))
})

test('a field that every row needs must have a column', () => {
  expect(() => checkRequired({ format: 'x', fields: { customer_id: [1] }, options: {} }, fields)).toThrow(
    expect.objectContaining({ code: 'E_MAPPING_REQUIRED', details: { fields: ['order_id'] } }),
  )
})
