import { expect, test } from 'vitest'
import { maskedPlaces, maskProperties } from './masking.ts'
import { PersonalText } from './personal-text.ts'

test('of an event everything stays but what is personal', () => {
  const personal = new PersonalText()
  personal.declare(['buyer.wechat'])
  expect(
    maskProperties(personal, {
      order_id: '20261121001234',
      total: 329,
      ts: 1_790_000_000_000,
      note: 'ring +86 13812345678 or li@example.com',
      buyer: { wechat: 'plum_blossom', name: 'Li' },
      receiver_phone: 13_812_345_678,
      shipping_address: { street: '梧桐路 77 号', floors: 3 },
      items: [{ sku: 'S1', price: 5 }],
    }),
  ).toEqual({
    order_id: '20261121001234',
    total: 329,
    ts: 1_790_000_000_000,
    note: 'ring 138****5678 or l***@example.com',
    buyer: { wechat: '***om', name: 'Li' },
    receiver_phone: '138****5678',
    shipping_address: { street: '*** 号', floors: 3 },
    items: [{ sku: 'S1', price: 5 }],
  })
})

test('what was masked is named by its place', () => {
  const personal = new PersonalText()
  const value = {
    total: 329,
    receiver_phone: '13812345678',
    shipping_address: { street: '梧桐路 77 号', floors: 3 },
    items: [{ sku: 'S1' }, { note: 'ring 13812345678' }],
  }
  const places = maskedPlaces(value, maskProperties(personal, value))
  expect(places).toEqual(['receiver_phone', 'shipping_address.street', 'items.1.note'])
  expect(maskedPlaces({ total: 329 }, maskProperties(personal, { total: 329 }))).toEqual([])
})
