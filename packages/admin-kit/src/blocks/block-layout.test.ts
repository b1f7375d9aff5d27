import type { BlockData } from '@huitou/plugin-api'
import { expect, test } from 'vitest'
import { placeBlocks } from './block-layout.ts'
import { toPlans } from './plan-cards.ts'

const number: BlockData = { kind: 'number', value: 1, type: 'integer' }
const text: BlockData = { kind: 'text', text: 'Nothing yet' }

test('numbers that stand side by side share one frame', () => {
  const placed = placeBlocks(
    [{ id: 'a', span: 3 }, { id: 'b', span: 3 }, { id: 'note' }, { id: 'c', span: 20 }, { id: 'absent' }],
    { a: number, b: number, note: text, c: number },
  )
  expect(placed.map(({ key, span, numbers }) => [key, span, numbers?.length])).toEqual([
    ['a', 6, 2], ['note', 12, undefined], ['c', 12, 1],
  ])
})

test('a table of few groups with a strategy reads as cards', () => {
  const plans = toPlans({
    kind: 'table',
    columns: [
      { id: 'group', title: 'Group', type: 'label', colors: { core: 'chart-1' } },
      { id: 'people', title: 'People', type: 'integer' },
      { id: 'strategy', title: 'Care', type: 'text' },
    ],
    rows: [{ group: 'core', people: 5, strategy: 'Disturb little', $behind: { rfm_group: 'core' } }],
  })
  expect(plans).toEqual([
    {
      title: 'core', strategy: 'Disturb little', color: 'chart-1', behind: { rfm_group: 'core' },
      figures: [{ id: 'people', title: 'People', type: 'integer', value: 5 }],
    },
  ])
  expect(toPlans({ kind: 'table', columns: [{ id: 'a', title: 'A', type: 'text' }], rows: [] })).toBeUndefined()
})
