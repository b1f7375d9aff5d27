import { expect, test } from 'vitest'
import { matchScore, rank } from './ranking.ts'

test('a prefix beats the start of a word, that beats the middle of one, that beats scattered letters', () => {
  const scores = ['Import orders', 'New import', 'Reimport', 'I am pro'].map((text) =>
    matchScore('imp', text),
  )
  expect(scores).toEqual([...scores].sort((a, b) => b - a))
  expect(new Set(scores).size).toBe(4)
})

test('Chinese is found anywhere in the words', () => {
  expect(matchScore('复购', '90 天内复购')).toBeGreaterThan(0)
  expect(matchScore('退款', '90 天内复购')).toBe(0)
})

test('several words match in any order', () => {
  expect(matchScore('orders import', 'Import orders')).toBeGreaterThan(0)
})

test('without a query everything stays in its order', () => {
  expect(rank('', ['b', 'a'], (text) => [text])).toEqual(['b', 'a'])
})

test('what is seen counts more than a keyword', () => {
  const items = [
    { title: 'Dark', also: 'theme' },
    { title: 'Theme', also: '' },
  ]
  expect(rank('theme', items, (item) => [item.title, item.also]).map((item) => item.title)).toEqual([
    'Theme',
    'Dark',
  ])
})
