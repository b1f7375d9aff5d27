import { expect, test } from 'vitest'
import type { TimelineEntry } from '@huitou/admin-kit'
import { csvCell } from './csv-cell.ts'
import { toOrders } from './orders.ts'

let seq = 0
function event(
  name: string,
  ts: number,
  properties: TimelineEntry['properties'],
  value: number | null = null,
): TimelineEntry {
  return { seq: ++seq, name, ts, properties, value, masked: [] }
}

test('an order says what it was, what it cost and how far it is, whatever order its events came in', () => {
  const orders = toOrders([
    event('order.signed', 300, { order_id: 'A' }),
    event(
      'order.paid',
      100,
      { order_id: 'A', shop: 'Flagship', items: [{ title: 'Serum', quantity: 2 }, { name: 'Mask' }] },
      4500,
    ),
    event('order.shipped', 200, { order_id: 'A' }),
    event('product.viewed', 400, { order_id: 'A' }),
    event('order.paid', 500, { order_id: 7 }, 900),
    event('order.refunded', 600, { order_id: 7 }, 900),
    event('order.paid', 700, {}, 1),
  ])
  expect(orders).toEqual([
    {
      id: '7',
      title: undefined,
      pieces: 0,
      shop: undefined,
      amount: 900,
      refunded: 900,
      at: 500,
      state: 'order.refunded',
    },
    {
      id: 'A',
      title: 'Serum',
      pieces: 3,
      shop: 'Flagship',
      amount: 4500,
      refunded: 0,
      at: 100,
      state: 'order.signed',
    },
  ])
})

test('a cell is quoted when it must be, and never runs as a formula', () => {
  expect(['a,b', 'say "x"', '=1+1', '-12', '苏晴'].map(csvCell)).toEqual([
    '"a,b"',
    '"say ""x"""',
    "'=1+1",
    '-12',
    '苏晴',
  ])
})
