import { expect, test } from 'vitest'
import { findEmail, findPhone } from './phones.ts'

test.each([
  ['13800001111', '+8613800001111'],
  ["'18618486065", '+8618618486065'],
  ['="18618486065"', '+8618618486065'],
  ['138 0000 1111', '+8613800001111'],
  ['86-13800001111', '+8613800001111'],
  ['+86 138-0000-1111', '+8613800001111'],
  ['008613800001111', '+8613800001111'],
  ['１３８００００１１１１', '+8613800001111'],
  ['+1 (415) 555-2671', '+14155552671'],
])('%j is %s', (cell, phone) => {
  expect(findPhone(cell)).toBe(phone)
})

test.each([
  '1******6198',
  '138****1111',
  '$$密文',
  '17012345678-1234',
  '13800001111转8123',
  '021-12345678',
  '1.38E+10',
  '12345',
  '',
  '-',
  '12800001111',
  'abc',
  '00000000000',
])('%j names nobody', (cell) => {
  expect(findPhone(cell)).toBeUndefined()
})

test('a number without a country gets the one of the mapping', () => {
  expect(findPhone('020 7946 0958', '44')).toBe('+442079460958')
})

test.each([
  [' Max.Mustermann@Example.COM ', 'max.mustermann@example.com'],
  ['ｍax@example.com', 'max@example.com'],
])('%j is %s', (cell, email) => {
  expect(findEmail(cell)).toBe(email)
})

test.each(['m***@example.com', 'nobody', 'a@b', 'a b@c.de', '', 'a@b.c'])('%j is no address', (cell) => {
  expect(findEmail(cell)).toBeUndefined()
})
