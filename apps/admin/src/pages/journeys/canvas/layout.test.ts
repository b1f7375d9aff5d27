import fc from 'fast-check'
import { expect, test } from 'vitest'
import { insertStep } from '../model/edits.ts'
import { blankJourney, newStep, stepGroups } from '../model/new-steps.ts'
import { edgesOf } from '../model/ports.ts'
import { drawJourney } from './layout.ts'

const begin = { channel: 'c', action: 'a', event: 'e', tag: 't', task: 'x' }
const types = stepGroups.flatMap((group) => group.types)

test('whatever a journey looks like, no two steps cover each other and every way is drawn', () => {
  const grown = fc.array(fc.tuple(fc.constantFrom(...types), fc.nat()), { maxLength: 14 })
  fc.assert(
    fc.property(grown, (steps) => {
      let definition = blankJourney('e')
      for (const [type, way] of steps) {
        const ways = edgesOf(definition)
        const step = newStep(type, { ...begin, arms: ['A', 'B'] })
        definition = insertStep(definition, ways[way % ways.length]!, step).definition
      }
      const { boxes, edges } = drawJourney(definition)
      const all = [...boxes.values()]
      for (const [at, one] of all.entries())
        for (const other of all.slice(at + 1))
          expect(
            one.x + one.width <= other.x ||
              other.x + other.width <= one.x ||
              one.y + one.height <= other.y ||
              other.y + other.height <= one.y,
          ).toBe(true)
      expect(edges.map(({ id }) => id)).toEqual(edgesOf(definition).map(({ id }) => id))
      for (const { path } of edges) expect(path).not.toContain('NaN')
    }),
    { numRuns: 30 },
  )
})

test('lines of different ways between different steps do not lie on each other', () => {
  const send = (next: string) => ({ type: 'send', channel: 'c', next })
  const { edges } = drawJourney({
    trigger: { type: 'event', event: 'e' },
    start: 'split',
    nodes: {
      split: {
        type: 'split',
        arms: [
          { name: 'a', weight: 1, next: 'wait' },
          { name: 'b', weight: 1, next: 'branch' },
          { name: 'c', weight: 1, next: 'send' },
        ],
      },
      wait: { type: 'wait', for: { hours: 1 }, next: 'send' },
      branch: { type: 'branch', cases: [{ next: 'one' }, { next: 'two' }], otherwise: 'wait' },
      send: send('one'),
      one: send('two'),
      two: { type: 'end' },
    },
  } as never)
  const levels = edges.flatMap(({ corners, node, to }) =>
    corners.slice(1).flatMap((end, at) => {
      const start = corners[at]!
      return start.y === end.y ? [{ node, to, y: start.y, xs: [start.x, end.x].sort((a, b) => a - b) }] : []
    }),
  )
  for (const one of levels)
    for (const other of levels) {
      if (one.node === other.node || one.to === other.to || Math.abs(one.y - other.y) > 1) continue
      expect(one.xs[1]! <= other.xs[0]! || other.xs[1]! <= one.xs[0]!).toBe(true)
    }
})

test('ways out of a step stand in their order', () => {
  const make = (type: (typeof types)[number]) => newStep(type, { ...begin, arms: ['A', 'B'] })
  let { definition } = insertStep(blankJourney('e'), { node: '$trigger', port: 'next' }, make('branch'))
  for (const port of ['otherwise', 'case.0'])
    definition = insertStep(definition, { node: 'branch', port }, make('send')).definition
  const { boxes } = drawJourney(definition)
  const { cases, otherwise } = definition.nodes['branch'] as { cases: { next: string }[]; otherwise: string }
  expect(boxes.get(cases[0]!.next)!.x).toBeLessThan(boxes.get(otherwise)!.x)
})

test('what comes later stands lower', () => {
  const { definition, focus } = insertStep(
    blankJourney('e'),
    { node: '$trigger', port: 'next' },
    newStep('wait', { ...begin, arms: ['A', 'B'] }),
  )
  const { boxes } = drawJourney(definition)
  expect(boxes.get('$trigger')!.y).toBeLessThan(boxes.get(focus!)!.y)
  expect(boxes.get(focus!)!.y).toBeLessThan(boxes.get('end')!.y)
})
