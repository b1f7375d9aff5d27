import { expect, test } from 'vitest'
import { fillJourney, journeyPlaceholders } from './journey-parameters.ts'

const fill = (value: unknown, parameters: Record<string, unknown>) =>
  fillJourney(value, parameters).definition

test('a placeholder that stands alone keeps its type, one inside a text is written out', () => {
  const definition = { hours: '${hours}', list: '${tags}', text: 'In ${hours} h: ${offer}' }
  expect(fill(definition, { hours: 2, tags: ['a', 'b'], offer: '满 199 减 20' })).toEqual({
    hours: 2,
    list: ['a', 'b'],
    text: 'In 2 h: 满 199 减 20',
  })
})

test('sums, differences and negative numbers are calculated', () => {
  expect(fill(['${cycle - ahead}', '${-ahead}', '${cycle + 1 - ahead}'], { cycle: 30, ahead: 7 })).toEqual([
    23, -7, 24,
  ])
})

test('Liquid, prices and keys of texts stay as they are; two dollars write one placeholder', () => {
  const text = '{{ customer.t_name | default: "您" }}，$5，%key%，{{ event.items[0].name }}'
  expect(fill(text, { customer: 1 })).toBe(text)
  expect(fill('$${hours}', { hours: 2 })).toBe('${hours}')
  expect(journeyPlaceholders([text, '$${hours}'])).toEqual([])
})

test('what has no value, and what cannot be read, is named', () => {
  expect(fillJourney({ a: '${gone}', b: 'x ${a b} ${zero}' }, { zero: 0 }).missing).toEqual(['gone', 'a b'])
  expect(journeyPlaceholders({ nodes: { a: ['x ${one - two}'] } }, 'definition')).toEqual([
    { text: 'one - two', path: 'definition.nodes.a.0', names: ['one', 'two'] },
  ])
})
