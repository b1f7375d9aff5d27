import { expect, test } from 'vitest'
import { readableName } from './readable-name.ts'

test.each([
  ['wecom.friend_added', 'Wecom friend added'],
  ['cartUpdated', 'Cart updated'],
  ['Shelf Seen', 'Shelf Seen'],
  ['扫码', '扫码'],
  ['...', '...'],
])('%s reads as %s', (name, words) => {
  expect(readableName(name)).toBe(words)
})
