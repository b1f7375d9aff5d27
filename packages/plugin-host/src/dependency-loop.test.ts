import { expect, test } from 'vitest'
import { createPluginFolder } from '../test/fixture-plugins.ts'
import { findLoop } from './dependency-loop.ts'
import { createPluginHost } from './host.ts'

test.each([
  { needs: {}, loop: undefined },
  { needs: { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, loop: undefined },
  { needs: { a: ['b'], b: ['c'], c: ['a'] }, loop: ['a', 'b', 'c', 'a'] },
  { needs: { a: ['x', 'b'], b: ['a'] }, loop: ['a', 'b', 'a'] },
  { needs: { a: ['b'], b: ['c'], c: ['b'] }, loop: undefined },
])('the loop through a in $needs is $loop', ({ needs, loop }) => {
  expect(findLoop('a', (id) => (needs as Record<string, string[]>)[id] ?? [])).toEqual(loop)
})

test('plugins that need one another are listed, and each says so', async () => {
  await using folder = await createPluginFolder()
  const dirs = [
    await folder.write('hen', '', { pluginDependencies: ['test.egg'] }),
    await folder.write('egg', '', { pluginDependencies: ['test.hen'] }),
  ]
  await using host = await createPluginHost({
    plugins: dirs.map((dir) => ({ dir, trusted: true, enabled: true })),
    effects: () => undefined,
    brand: { currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'zh-CN' },
  })
  expect(host.list().map(({ id, state, error }) => [id, state, error?.code, error?.message])).toEqual([
    ['test.hen', 'failed', 'E_DEPENDENCY_LOOP', 'Plugins need one another: test.hen → test.egg → test.hen'],
    ['test.egg', 'failed', 'E_DEPENDENCY_LOOP', 'Plugins need one another: test.egg → test.hen → test.egg'],
  ])
})
