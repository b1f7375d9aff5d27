import { expect, test } from 'vitest'
import { differingNodes } from './plugin-nodes.ts'

const node = (id: string, state: 'ready' | 'off' | 'failed' | 'absent', version = '1.1.0') => ({
  id,
  host: id,
  role: 'all' as const,
  state,
  version,
})

test('servers differ by version, by not having it, by failing, and by going on with what is off', () => {
  const nodes = [
    node('same', 'ready'),
    node('old', 'ready', '1.0.0'),
    node('without', 'absent', ''),
    node('broken', 'failed'),
    node('off', 'off'),
  ]
  const found = (state: 'active' | 'disabled') =>
    differingNodes({ version: '1.1.0', state, nodes }).map(({ id }) => id)
  expect(found('active')).toEqual(['old', 'without', 'broken', 'off'])
  expect(found('disabled')).toEqual(['same', 'old', 'broken'])
})
