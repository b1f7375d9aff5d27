import { expect, test } from 'vitest'
import { contributionCount, contributionGroups } from './contributions.ts'

const contributes = {
  events: [{ name: 'order.paid', title: { en: 'Order paid', 'zh-CN': '支付订单' } }],
  segmenters: [
    {
      id: 'rfm',
      title: 'RFM',
      labels: [
        { id: 'a', title: { en: 'Champions', 'zh-CN': '冠军' } },
        { id: 'b', title: { en: 'Lost', 'zh-CN': '流失' } },
      ],
    },
  ],
  reports: [],
  configuration: { type: 'object' },
}

test('every point with entries is shown, settings are not among them', () => {
  expect(
    contributionGroups(contributes).map((group) => [group.point, group.rows.map((row) => row.id)]),
  ).toEqual([
    ['events', ['order.paid']],
    ['segmenters', ['rfm']],
  ])
  expect(contributionCount(contributes)).toBe(2)
})

test('labels stand for a missing description, in both languages', () => {
  expect(contributionGroups(contributes)[1]!.rows[0]!.note).toEqual({
    en: 'Champions, Lost',
    'zh-CN': '冠军、流失',
  })
})

test('points whose engine comes later say what they wait for', () => {
  const groups = contributionGroups({
    menus: [{ command: 'brew', place: 'customerPage' }],
    walkthroughs: [{ id: 'first-cup', title: 'First cup' }],
    unheardOf: [{ id: 'x' }],
  })
  expect(groups.map(({ point, comesWith }) => [point, Boolean(comesWith)])).toEqual([
    ['menus', false],
    ['walkthroughs', true],
    ['unheardOf', false],
  ])
  expect(groups.map(({ rows }) => rows[0]?.id)).toEqual(['brew@customerPage', 'first-cup', 'x'])
})

test('a plugin without contributions has none', () => {
  expect(contributionGroups(null)).toEqual([])
})
