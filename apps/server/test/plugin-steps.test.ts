import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer } from './test-server.ts'

const CODE = `
export default {
  activate(huitou) {
    huitou.actions.register('greet', {
      run: (input, { key, customerId, now, signal }) => ({
        key, customerId, now, hasSignal: signal instanceof AbortSignal, ...input,
      }),
    })
  },
}`

let folder: string

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'huitou-steps-'))
  const manifest = {
    ...{
      name: 'greeter',
      version: '1.0.0',
      publisher: 'acme',
      displayName: 'Greeter',
      description: 'Greets',
    },
    ...{ keywords: ['huitou-plugin'], license: 'MIT', type: 'module', main: 'index.js' },
    engines: { huitou: '*' },
    contributes: { actions: [{ id: 'greet', title: 'Greet', output: { type: 'object' } }] },
  }
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(path.join(folder, 'README.md'), '# Greeter\n')
  writeFileSync(path.join(folder, 'index.js'), CODE)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('an action is told the key of its step, whom it is for, the time, and when to give up', async () => {
  await using server = await startTestServer('sqlite', [folder])
  const action = server.huitou.core.points.actions.find('acme.greeter/greet')
  const { signal } = new AbortController()
  const answer = await action?.value.run(
    { word: '你好' },
    { key: '7.greet.1', customerId: 42, now: 1_795_000_000_000, signal },
  )
  expect(answer).toEqual({
    key: '7.greet.1',
    customerId: 42,
    now: 1_795_000_000_000,
    hasSignal: true,
    word: '你好',
  })
})
