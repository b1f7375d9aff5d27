import type { BlockData } from '@huitou/plugin-api'
import { expect, test } from 'vitest'
import { seriesBars, tableBars } from './bar-groups.ts'
import { placeBlocks } from './block-layout.ts'
import { isEmptyBlock } from './empty-block.ts'
import { toPlans } from './plan-cards.ts'

const number: BlockData = { kind: 'number', value: 1, type: 'integer' }
const text: BlockData = { kind: 'text', text: 'Nothing yet' }

test('numbers that stand side by side share one frame', () => {
  const placed = placeBlocks(
    [{ id: 'a', span: 3 }, { id: 'b', span: 3 }, { id: 'note' }, { id: 'c', span: 20 }, { id: 'absent' }],
    { a: number, b: number, note: text, c: number },
  )
  expect(placed.map(({ key, span, numbers }) => [key, span, numbers?.length])).toEqual([
    ['a', 6, 2],
    ['note', 12, undefined],
    ['c', 12, 1],
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
      title: 'core',
      strategy: 'Disturb little',
      color: 'chart-1',
      behind: { rfm_group: 'core' },
      figures: [{ id: 'people', title: 'People', type: 'integer', value: 5 }],
    },
  ])
  expect(
    toPlans({ kind: 'table', columns: [{ id: 'a', title: 'A', type: 'text' }], rows: [] }),
  ).toBeUndefined()
})

test('a table of what there is now and was before reads as bars in groups', () => {
  const bars = tableBars({
    kind: 'table',
    columns: [
      { id: 'group', title: 'Group', type: 'text' },
      { id: 'segment', title: 'Segment', type: 'text', colors: { Loyal: 'chart-1' } },
      { id: 'now', title: 'Now', type: 'integer' },
      { id: 'before', title: 'Before', type: 'integer' },
      { id: 'share', title: 'Share', type: 'percent' },
    ],
    rows: [
      {
        group: 'Core',
        segment: 'Champions',
        now: 5,
        before: 4,
        share: 0.5,
        $behind: { rfm_segment: 'champions' },
      },
      { group: 'Core', segment: 'Loyal', now: 3, before: null, share: 0.3 },
      { group: 'Dormant', segment: 'Lost', now: 2, before: 2, share: 0.2 },
    ],
  })
  expect(
    bars?.groups.map(({ name, bars: own }) => [
      name,
      own.map((bar) => [bar.name, bar.value, bar.before, ...bar.more]),
    ]),
  ).toEqual([
    [
      'Core',
      [
        ['Champions', 5, 4, 0.5],
        ['Loyal', 3, null, 0.3],
      ],
    ],
    ['Dormant', [['Lost', 2, 2, 0.2]]],
  ])
  expect(bars?.groups[0]?.bars[0]?.behind).toEqual({ rfm_segment: 'champions' })
  const moves = { id: 'net', title: 'Net', type: 'integer' as const }
  expect(tableBars({ kind: 'table', columns: [moves], rows: [] })).toBeUndefined()
})

test('bars take colour and group from the label behind them', () => {
  const bars = seriesBars(
    {
      kind: 'bar',
      type: 'integer',
      categories: ['loyal', 'other'],
      behind: [{ rfm_segment: 'loyal' }, null],
      series: [
        { id: 'now', title: 'Now', values: [3, 1] },
        { id: 'before', title: 'Before', values: [2, 1] },
      ],
    },
    (column, value) =>
      column === 'rfm_segment' ? { title: value.toUpperCase(), color: 'chart-3', group: 'Core' } : undefined,
    'Share',
  )
  expect(
    bars.groups.map((group) => [group.name, group.bars[0]?.name, group.bars[0]?.color, group.bars[0]?.more]),
  ).toEqual([
    ['Core', 'LOYAL', 'var(--chart-3)', [0.75]],
    ['', 'other', 'var(--chart-1)', [0.25]],
  ])
})

test('a report of zeros and words has nothing to show', () => {
  const columns = [
    { id: 'segment', title: 'Segment', type: 'text' as const },
    { id: 'now', title: 'Now', type: 'integer' as const },
  ]
  expect([text, { ...number, value: 0 } as BlockData].every(isEmptyBlock)).toBe(true)
  expect(isEmptyBlock({ kind: 'table', columns, rows: [{ segment: 'Loyal', now: 0 }] })).toBe(true)
  expect(isEmptyBlock({ kind: 'table', columns, rows: [{ segment: 'Loyal', now: 2 }] })).toBe(false)
  expect(
    isEmptyBlock({
      kind: 'bar',
      type: 'integer',
      categories: ['a'],
      series: [{ id: 'n', title: 'N', values: [null] }],
    }),
  ).toBe(true)
})
