import { expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import en from '../package.nls.json' with { type: 'json' }
import zh from '../package.nls.zh-CN.json' with { type: 'json' }
import { assignSegments, findSegment, groupColors, groupOf, segmentIds } from './segments.ts'

const scores = [1, 2, 3, 4, 5]
const combinations = scores.flatMap((r) => scores.flatMap((f) => scores.map((m) => ({ r, f, m }))))

test('every combination of scores has one segment, and every segment a combination', () => {
  const found = new Set(combinations.map(({ r, f, m }) => findSegment('huitou', r, f, m)))
  expect(found).toEqual(new Set(segmentIds))
})

test('the scheme of the R package leaves ten rare combinations without a segment', () => {
  const without = combinations.filter(({ r, f, m }) => findSegment('rfm_r', r, f, m) === undefined)
  expect(without.map(({ r, f, m }) => `${r}${f}${m}`)).toEqual([
    '215',
    '241',
    '251',
    '252',
    '341',
    '351',
    '441',
    '451',
    '541',
    '551',
  ])
})

test('a customer without scores has no segment', () => {
  expect([
    ...assignSegments('huitou', { r: [5, Number.NaN], f: [5, Number.NaN], m: [1, Number.NaN] }),
  ]).toEqual([0, -1])
})

test('the manifest declares the same segments, groups and colours in the same order', () => {
  const [segmenter] = manifest.contributes.segmenters
  expect(segmenter!.labels.map(({ id, group, color }) => ({ id, group, color }))).toEqual(
    segmentIds.map((id) => ({ id, group: groupOf(id), color: groupColors[groupOf(id)] })),
  )
  expect(segmenter!.groups.map(({ id, color }) => [id, color])).toEqual(Object.entries(groupColors))
})

test('every text exists in both languages, and the manifest uses only texts that exist', () => {
  expect(Object.keys(zh)).toEqual(Object.keys(en))
  const used = [...JSON.stringify(manifest).matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key!)
  expect(used.filter((key) => !(key in en))).toEqual([])
})
