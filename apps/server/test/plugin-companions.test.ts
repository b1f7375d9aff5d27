import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { get, post, upload, view } from './plugin-calls.ts'
import { packTestPlugin, type TestPlugin } from './plugin-package.ts'
import { startTestServer } from './test-server.ts'

const quiet = 'export default { activate() {} }'
let folder: string

/** Puts `acme.<name>` into the folder that is the registry of these tests. */
async function publish(name: string, plugin: TestPlugin = {}): Promise<void> {
  const version = plugin.version ?? '1.0.0'
  const bytes = await packTestPlugin({
    name: `@acme/${name}`,
    code: quiet,
    contributes: {},
    permissions: {},
    ...plugin,
  })
  writeFileSync(path.join(folder, `${name}-${version}.tgz`), bytes)
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huitou-companions-'))
  await publish('kit', {
    manifest: { pluginDependencies: ['acme.base'], pluginPack: ['acme.extra', 'acme.lost'] },
  })
  await publish('base', { permissions: { 'profile.read': ['event_count'] } })
  await publish('base', { version: '2.0.0', manifest: { engines: { huitou: '^99.0.0' } } })
  await publish('extra', {
    manifest: { pluginDependencies: ['acme.kit'] },
    permissions: { network: ['tea.example'] },
  })
  await publish('ring', { manifest: { pluginPack: ['acme.ring-two'] } })
  await publish('ring-two', { manifest: { pluginPack: ['acme.ring'] } })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a plugin comes with what it needs and brings along, and one word enables all of it', async () => {
  await using server = await startTestServer()
  const owner = await server.as()
  await post(owner, '/registries', { id: 'shelf', kind: 'folder', title: 'Shelf', path: folder })
  const install = (name: string) => post(owner, '/install', { registry: 'shelf', name: `@acme/${name}` })

  const installed = await install('kit')
  expect(installed, JSON.stringify(installed.body)).toMatchObject({
    status: 201,
    body: {
      state: 'disabled',
      companions: [
        { id: 'acme.base', relation: 'needs', state: 'off' },
        { id: 'acme.extra', relation: 'brings', state: 'off' },
        { id: 'acme.lost', relation: 'brings', state: 'missing' },
      ],
    },
  })
  // The newest of all would not run here.
  expect((await view(owner, 'acme.base')).version).toBe('1.0.0')
  expect((await view(owner, 'acme.extra')).source).toMatchObject({ kind: 'registry', registry: 'shelf' })

  const agreed = { grants: 'all', allowUnsigned: true }
  const alone = await post(owner, '/acme.kit/enable', agreed)
  expect(alone).toMatchObject({ status: 409, body: { code: 'E_DEPENDENCY' } })
  const unsaid = await post(owner, '/acme.kit/enable', { ...agreed, companions: {} })
  expect(unsaid).toMatchObject({ status: 409, body: { code: 'E_UNSIGNED' } })
  const states = async () =>
    await Promise.all(['kit', 'base', 'extra'].map(async (name) => (await view(owner, `acme.${name}`)).state))
  expect(await states()).toEqual(['disabled', 'disabled', 'disabled'])
  const companions = { 'acme.base': agreed, 'acme.extra': agreed }
  expect(await post(owner, '/acme.kit/enable', { ...agreed, companions })).toMatchObject({ status: 200 })
  expect(await states()).toEqual(['enabled', 'enabled', 'enabled'])
  expect((await view(owner, 'acme.extra')).grants).toEqual({ network: ['tea.example'] })

  await publish('lost')
  expect((await post(owner, '/acme.kit/companions')).body.companions).toContainEqual({
    id: 'acme.lost',
    relation: 'brings',
    state: 'off',
  })

  const ring = await install('ring')
  expect(ring).toMatchObject({ status: 409, body: { code: 'E_DEPENDENCY_LOOP' } })
  const { plugins } = (await get(owner, '')) as { plugins: { id: string }[] }
  expect(plugins.map(({ id }) => id)).not.toContain('acme.ring-two')
})

test('what a plugin needs and nobody has is named', async () => {
  await using server = await startTestServer()
  const owner = await server.as()
  const { body } = await upload(owner, {
    ...{ name: '@acme/alone', code: quiet, contributes: {}, permissions: {} },
    manifest: { pluginDependencies: ['acme.nowhere'] },
  })
  expect(body.companions).toEqual([{ id: 'acme.nowhere', relation: 'needs', state: 'missing' }])
  const refused = await post(owner, '/acme.alone/enable', { allowUnsigned: true, companions: {} })
  expect(refused.body).toMatchObject({
    code: 'E_DEPENDENCY',
    detail: expect.stringContaining('acme.nowhere'),
  })
})
