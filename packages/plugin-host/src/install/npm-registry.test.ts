import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { startVerdaccio } from '@huitou/testing/verdaccio'
import type { TestRegistry } from '@huitou/testing/verdaccio'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { npmRegistry } from './npm-registry.ts'
import { packSample, temporaryFolder } from './package-fixture.ts'
import { createSigningKey } from './signature.ts'
import { PluginStore } from './store.ts'

const acme = createSigningKey('acme')
let verdaccio: TestRegistry
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let tea: Uint8Array

beforeAll(async () => {
  folder = await temporaryFolder()
  const startup = startVerdaccio()
  const publish = async (bytes: Uint8Array, name: string, ...flags: string[]) => {
    const file = path.join(folder.path, `${name}.tgz`)
    await writeFile(file, bytes)
    await verdaccio.publish(file, ...flags)
  }
  tea = await packSample({
    manifest: { categories: ['segments'], icon: 'leaf' },
    files: { 'README.zh-CN.md': '# 茶\n', 'CHANGELOG.md': '## 1.0.0\n' },
    signedBy: acme,
  })
  const beta = await packSample({ manifest: { version: '2.0.0-beta.1' } })
  const coffee = await packSample({
    manifest: { name: '@private/coffee', displayName: 'Coffee', description: 'Counts beans' },
  })
  const library = await packSample({ manifest: { name: 'tea-library', publisher: undefined } })
  verdaccio = await startup
  await Promise.all([
    publish(tea, 'tea').then(() => publish(beta, 'beta', '--tag', 'next')),
    publish(coffee, 'coffee'),
    publish(library, 'library'),
  ])
}, 60_000)

afterAll(async () => {
  await verdaccio[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const open = (signedIn: boolean) =>
  npmRegistry({ id: 'npm', title: 'npm', env: verdaccio.env(signedIn), cwd: folder.path })

test('what npm published is found, with its texts in both languages, by those who may see it', async () => {
  const found = await open(false).search('')
  expect(found).toEqual([
    {
      name: '@acme/tea',
      id: 'acme.tea',
      publisher: 'acme',
      version: '1.0.0',
      displayName: { en: 'Tea', 'zh-CN': '茶' },
      description: { en: 'Counts cups of tea', 'zh-CN': 'Counts cups of tea' },
      icon: 'leaf',
      categories: ['segments'],
      engine: '^0.1.0',
    },
  ])
  const names = async (text: string, options = {}) =>
    (await npmRegistry({ id: 'npm', title: 'npm', url: verdaccio.url, ...options }).search(text)).map(
      ({ name }) => name,
    )
  const { token } = verdaccio
  expect((await names('', { token })).sort()).toEqual(['@acme/tea', '@private/coffee'])
  expect(await names('', { token, scope: '@private' })).toEqual(['@private/coffee'])
  expect(await names('tea', { token })).toEqual(['@acme/tea'])
  expect(await names('nothing of the kind', { token })).toEqual([])
})

test('the details of a plugin are there before it is installed', async () => {
  const details = await open(false).details('@acme/tea')
  expect(details).toMatchObject({
    version: '1.0.0',
    manifest: { main: 'index.js', displayName: { 'zh-CN': '茶' } },
    readme: { en: '# Tea\n', 'zh-CN': '# 茶\n' },
    changelog: '## 1.0.0\n',
    signature: { state: 'unknown-publisher', publisher: 'acme', keyId: acme.keyId },
    packedBytes: tea.length,
  })
  expect(details.versions.map(({ version, engine }) => [version, engine])).toEqual([
    ['2.0.0-beta.1', '^0.1.0'],
    ['1.0.0', '^0.1.0'],
  ])
  expect(Date.parse(details.versions[0]!.publishedAt!)).toBeGreaterThan(0)
  expect(await open(false).details('@acme/tea', { version: '2.0.0-beta.1' })).toMatchObject({
    version: '2.0.0-beta.1',
    signature: { state: 'unsigned' },
  })
})

test('what was published comes back byte for byte, by version or tag, and installs', async () => {
  const registry = open(false)
  const download = await registry.download('@acme/tea', 'latest')
  expect(Buffer.from(download.bytes)).toEqual(Buffer.from(tea))
  expect((await registry.download('@acme/tea', 'next')).version).toBe('2.0.0-beta.1')
  expect((await registry.download('@acme/tea', '1.0.0')).integrity).toBe(download.integrity)

  const store = new PluginStore(path.join(folder.path, 'plugins'))
  const trust = [{ ...acme, addedAt: 0 }]
  const staged = await store.stage(download.archive, { source: registry.id, trust })
  expect(staged).toMatchObject({ id: 'acme.tea', source: 'npm', signature: { state: 'trusted' } })
})

test.each(['@acme/nothing', '@acme/tea/../x', '../x', 'UPPER', ''])(
  'there is no package %j',
  async (name) => {
    await expect(open(false).details(name)).rejects.toMatchObject({ code: 'E_NOT_FOUND', status: 404 })
  },
)

test('a version that is not there is not guessed', async () => {
  for (const version of ['9.9.9', '^1', 'toString', '']) {
    await expect(open(false).download('@acme/tea', version)).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
  }
})

test('a private scope opens with a token only, from .npmrc or from a setting', async () => {
  const { url, token } = verdaccio
  const error = await open(false)
    .details('@private/coffee')
    .catch((reason) => reason)
  expect(error).toMatchObject({ code: 'E_REGISTRY_AUTH', kind: 'user' })
  expect((await open(true).details('@private/coffee')).id).toBe('acme.coffee')
  const withToken = npmRegistry({ id: 'npm', title: 'npm', url, token, env: {} })
  expect((await withToken.download('@private/coffee', '1.0.0')).archive.id).toBe('acme.coffee')
  const wrong = npmRegistry({ id: 'npm', title: 'npm', url, token: 'wrong-token', env: {} })
  const refusal = await wrong.details('@private/coffee').catch((reason) => reason)
  expect(refusal.code).toBe('E_REGISTRY_AUTH')
  expect(`${refusal.message} ${refusal.hint}`).not.toContain('wrong-token')
})

test('a scope may have a registry of its own in .npmrc', async () => {
  const { url, token } = verdaccio
  const home = path.join(folder.path, '.npmrc')
  const lines = [
    'registry=http://127.0.0.1:9/',
    `@private:registry=${url}`,
    `${url.slice('http:'.length)}:_authToken=\${COFFEE_TOKEN}`,
  ]
  await writeFile(home, lines.join('\n'))
  const env = { HOME: folder.path, COFFEE_TOKEN: token }
  const registry = npmRegistry({ id: 'npm', title: 'npm', env, cwd: folder.path })
  expect((await registry.details('@private/coffee')).version).toBe('1.0.0')
  await expect(registry.details('@acme/tea')).rejects.toMatchObject({ code: 'E_REGISTRY_UNREACHABLE' })
  await expect(registry.search('')).rejects.toMatchObject({ code: 'E_REGISTRY_UNREACHABLE', kind: 'world' })
})

test.each(['ftp://x', 'no address', 'file:///etc'])('%s is no registry', async (url) => {
  const registry = npmRegistry({ id: 'npm', title: 'npm', url, env: {} })
  await expect(registry.search('')).rejects.toMatchObject({ code: 'E_REGISTRY_SETTING' })
})
