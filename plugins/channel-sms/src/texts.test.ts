import { expect, test } from 'vitest'
import { nextLegalTime } from './legal-hours.ts'
import { measureSms } from './measure.ts'
import { isOptOut } from './opt-out.ts'
import { toE164 } from './phone.ts'

test.each([
  ['一'.repeat(70), {}, 70, 1],
  ['一'.repeat(71), {}, 71, 2],
  ['一'.repeat(134), {}, 134, 2],
  ['一'.repeat(135), {}, 135, 3],
  ['a'.repeat(71), {}, 71, 2],
  ['一'.repeat(66), { signature: '回头客' }, 71, 2],
  ['😀'.repeat(35), {}, 70, 1],
  ['a'.repeat(160), { abroad: true }, 160, 1],
  ['a'.repeat(161), { abroad: true }, 161, 2],
  ['€'.repeat(80), { abroad: true }, 160, 1],
  // A euro sign that does not fit into the rest of a message goes into the next one.
  [`${'a'.repeat(152)}€${'a'.repeat(152)}`, { abroad: true }, 306, 3],
  ['ž'.repeat(71), { abroad: true }, 71, 2],
])('%# a text counts as it is billed', (text, how, units, segments) => {
  expect(measureSms(text, how)).toMatchObject({ units, segments })
})

test.each(['R', 'r', ' td ', 'Ｔ', '回T', '退订', '退订。', '回复TD', '回T退订'])(
  '%s says no more',
  (reply) => {
    expect(isOptOut(reply)).toBe(true)
  },
)

test.each(['', '好的', '退订怎么弄？', 'RT', 'Thanks', '回'])('"%s" is just a reply', (reply) => {
  expect(isOptOut(reply)).toBe(false)
})

test.each([
  ['2026-03-01T07:59:59+08:00', {}, '2026-03-01T08:00:00+08:00'],
  ['2026-03-01T08:00:00+08:00', {}, undefined],
  ['2026-03-01T20:59:59+08:00', {}, undefined],
  ['2026-03-01T21:00:00+08:00', {}, '2026-03-02T08:00:00+08:00'],
  ['2026-03-01T21:30:00+08:00', { until: 24 }, undefined],
  ['2026-03-01T22:00:00+08:00', { from: 0, until: 24 }, '2026-03-02T08:00:00+08:00'],
  ['2026-03-01T09:00:00+08:00', { from: 10 }, '2026-03-01T10:00:00+08:00'],
])('marketing at %s with %o', (at, hours, then) => {
  const next = nextLegalTime(Date.parse(at), hours)
  expect(next).toBe(then === undefined ? undefined : Date.parse(then))
})

test.each([
  ['138 0000 0000', '+8613800000000'],
  ['008613800000000', '+8613800000000'],
  ['+8613800000000', '+8613800000000'],
  ['+14155550100', '+14155550100'],
  ['+8612345', undefined],
  ['010-12345678', undefined],
  ['138****0000', undefined],
])('the number %s is %s', (address, phone) => {
  expect(toE164(address)).toBe(phone)
})
