import { expect, test } from 'vitest'
import { findStage, refundState } from './statuses.ts'

test.each([
  ['等待买家付款', 'unpaid'],
  ['买家已付款，等待卖家发货', 'paid'],
  ['买家已付款,等待卖家发货', 'paid'],
  ['卖家已发货，等待买家确认', 'shipped'],
  ['交易成功', 'completed'],
  ['交易关闭', 'closed'],
  ['等待出库', 'paid'],
  ['(删除)等待出库', 'closed'],
  ['（锁定）等待出库', 'paid'],
  ['完成', 'completed'],
  ['待支付', 'unpaid'],
  ['\t已关闭', 'closed'],
  ['wc-processing', 'paid'],
  ['on-hold', 'unpaid'],
  ['partially_refunded', 'paid'],
  ['canceled', 'closed'],
] as const)('%j means %s', (word, stage) => {
  expect(findStage(word)).toBe(stage)
})

test('a word that nobody knows means nothing', () => {
  expect(findStage('薛定谔')).toBeUndefined()
  expect(findStage('')).toBeUndefined()
})

test.each([
  ['没有申请退款', 'none'],
  ['-', 'none'],
  ['', 'none'],
  ['退款中', 'open'],
  ['售后中', 'open'],
  ['退款成功', 'full'],
  ['退款关闭', 'none'],
  ['部分退款成功', 'open'],
] as const)('%j says of money going back: %s', (word, state) => {
  expect(refundState(word)).toBe(state)
})
