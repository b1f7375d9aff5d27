import fc from 'fast-check'
import { expect, test } from 'vitest'
import { insertStep } from '../model/edits.ts'
import { blankJourney, newStep, stepGroups } from '../model/new-steps.ts'
import { edgesOf, TRIGGER } from '../model/ports.ts'
import { outline } from './outline.ts'

const begin = { channel: 'c', action: 'a', event: 'e', tag: 't', task: 'x' }
const types = stepGroups.flatMap((group) => group.types)
const step = (type: (typeof types)[number]) =>
  newStep(type, { ...begin, arms: ['A', 'B'] as [string, string] })

test('every step stands in the list once, whatever the journey looks like', () => {
  const grown = fc.array(fc.tuple(fc.constantFrom(...types), fc.nat()), { maxLength: 16 })
  fc.assert(
    fc.property(grown, (steps) => {
      let definition = blankJourney('e')
      for (const [type, way] of steps) {
        const ways = edgesOf(definition)
        definition = insertStep(definition, ways[way % ways.length]!, step(type)).definition
      }
      const rows = outline(definition)
      const shown = rows.filter(({ kind }) => kind === 'step').map(({ id }) => id!)
      expect(shown.toSorted()).toEqual([TRIGGER, ...Object.keys(definition.nodes)].toSorted())
      expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length)
    }),
    { numRuns: 60 },
  )
})

test('what both ways of a branch lead to stands below it, not inside a way', () => {
  const branch = insertStep(blankJourney('e'), { node: TRIGGER, port: 'next' }, step('branch'))
  const { definition } = insertStep(branch.definition, { node: branch.focus!, port: 'case.0' }, step('send'))
  expect(outline(definition).map(({ kind, id, depth }) => [kind, id, depth])).toEqual([
    ['step', TRIGGER, 0],
    ['step', 'branch', 0],
    ['step', 'send', 1],
    ['seen', 'end', 1],
    ['step', 'end', 0],
  ])
})
