import { expect, test } from 'vitest'
import english from '../package.nls.json' with { type: 'json' }
import chinese from '../package.nls.zh-CN.json' with { type: 'json' }
import manifest from '../package.json' with { type: 'json' }

const { events, features } = manifest.contributes

test('every text of the manifest exists in both languages, and none is left over', () => {
  const used = [
    ...new Set([...JSON.stringify(manifest).matchAll(/"%([^%"]+)%"/g)].map((match) => match[1]!)),
  ].sort()
  expect(Object.keys(english).sort()).toEqual(used)
  expect(Object.keys(chinese).sort()).toEqual(used)
})

test('features read events that the plugin declares', () => {
  const names = new Set(events.map(({ name }) => name))
  for (const feature of features) for (const { name } of feature.events) expect(names).toContain(name)
})

test('no name stands for two events', () => {
  const names = events.flatMap(({ name, aliases = [] }) => [name, ...aliases])
  expect(new Set(names).size).toBe(names.length)
})
