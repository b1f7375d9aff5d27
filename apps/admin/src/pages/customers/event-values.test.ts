import { expect, test } from 'vitest'
import { valuesAt } from './event-values.ts'

test('values are found where the server says that something is masked', () => {
  const properties = { receiver: '史明', address: { phone: 13_812_345_678 }, items: [{ note: 'a' }] }
  expect(valuesAt(properties, ['receiver', 'address.phone', 'items.0.note', 'gone.x'])).toEqual([
    { place: 'receiver', value: '史明' },
    { place: 'address.phone', value: '13812345678' },
    { place: 'items.0.note', value: 'a' },
    { place: 'gone.x', value: '' },
  ])
})
