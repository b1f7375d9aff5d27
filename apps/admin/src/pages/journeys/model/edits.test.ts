import { journeyDefinitionSchema } from '@huitou/core/journeys/definition'
import type { JourneyDefinition, JourneyNode } from '@huitou/admin-kit/api/journeys.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connect, duplicateStep, insertStep, moveStep, removeStep, targetAt } from './edits.ts'
import { record, redo, startHistory, undo } from './history.ts'
import { blankJourney, newStep, stepGroups, type StepType } from './new-steps.ts'
import { edgesOf, portsOf, reachedFrom, TRIGGER } from './ports.ts'

const begin = {
  channel: 'sms',
  action: 'shop.coupon',
  event: 'order.paid',
  tag: 'vip',
  task: 'Call',
  arms: ['A', 'B'],
} as const
const add = (type: StepType): JourneyNode => newStep(type, { ...begin, arms: ['A', 'B'] })
const types = stepGroups.flatMap((group) => group.types)

/** An edit of any kind, with numbers that pick a way or a step among those there are. */
const edit = fc.record({
  kind: fc.constantFrom('insert', 'insert', 'insert', 'remove', 'connect', 'move', 'duplicate'),
  type: fc.constantFrom(...types),
  way: fc.nat(),
  step: fc.nat(),
})

function apply(
  definition: JourneyDefinition,
  { kind, type, way, step }: { kind: string; type: StepType; way: number; step: number },
) {
  const ways = edgesOf(definition)
  const place = ways[way % ways.length]!
  const ids = Object.keys(definition.nodes)
  const id = ids[step % ids.length]!
  if (kind === 'insert') return insertStep(definition, place, add(type)).definition
  if (kind === 'remove') return removeStep(definition, id).definition
  if (kind === 'move') return moveStep(definition, id, place).definition
  if (kind === 'duplicate') return duplicateStep(definition, id).definition
  return connect(definition, place, way % 3 === 0 ? undefined : id)
}

test('no edit makes a journey malformed, nor leads anywhere that is not there', () => {
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 25 }), (edits) => {
      let definition = blankJourney('order.paid')
      for (const each of edits) {
        definition = apply(definition, each)
        expect(journeyDefinitionSchema.safeParse(definition).error?.issues).toBeUndefined()
        for (const { target } of edgesOf(definition))
          if (target !== undefined) expect(definition.nodes).toHaveProperty(target)
      }
    }),
    { numRuns: 200 },
  )
})

test('undo gives back what was, step by step, and redo what was taken back', () => {
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 20 }), (edits) => {
      const first = blankJourney('order.paid')
      let history = startHistory(first)
      const seen = [first]
      for (const each of edits) {
        const next = apply(history.present, each)
        history = record(history, next)
        if (next !== seen.at(-1)) seen.push(next)
      }
      const last = history.present
      for (const before of seen.toReversed().slice(1)) {
        history = undo(history)
        expect(history.present).toBe(before)
      }
      expect(undo(history)).toBe(history)
      for (let at = 1; at < seen.length; at++) history = redo(history)
      expect(history.present).toBe(last)
    }),
    { numRuns: 100 },
  )
})

test('a step put on any way keeps everything behind it', () => {
  fc.assert(
    fc.property(
      fc.array(edit, { maxLength: 15 }),
      fc.constantFrom(...types.filter((type) => type !== 'end')),
      fc.nat(),
      (edits, type, way) => {
        const before = edits.reduce(apply, blankJourney('order.paid'))
        const ways = edgesOf(before)
        const place = ways[way % ways.length]!
        const { definition, focus } = insertStep(before, place, add(type))
        expect(targetAt(definition, place)).toBe(focus)
        const reached = reachedFrom(definition.start, definition.nodes)
        for (const id of reachedFrom(before.start, before.nodes)) expect(reached).toContain(id)
      },
    ),
    { numRuns: 100 },
  )
})

test('typing on in one field is taken back at once, something else apart', () => {
  let history = startHistory('')
  for (const text of ['a', 'ab', 'abc']) history = record(history, text, 'title')
  history = record(history, 'abc!', 'note')
  history = undo(history)
  expect(history.present).toBe('abc')
  expect(undo(history).present).toBe('')
})

test('a step on a way of a branch leaves the other ways alone; taking it out restores the branch', () => {
  const first = insertStep(blankJourney('order.paid'), { node: TRIGGER, port: 'next' }, add('branch'))
  const branch = first.focus!
  const sent = insertStep(first.definition, { node: branch, port: 'case.0' }, add('send'))
  const ways = Object.fromEntries(
    portsOf(sent.definition.nodes[branch]!).map(({ port, target }) => [port, target]),
  )
  expect(ways).toEqual({ 'case.0': sent.focus, otherwise: 'end' })
  expect(removeStep(sent.definition, sent.focus!).definition).toEqual(first.definition)
})

test('the way in always leads somewhere', () => {
  const blank = blankJourney('order.paid')
  expect(connect(blank, { node: TRIGGER, port: 'next' }, undefined)).toBe(blank)
  const empty = removeStep(blank, 'end').definition
  expect(Object.values(empty.nodes)).toEqual([{ type: 'end' }])
})
