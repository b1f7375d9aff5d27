import { appendFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { sampleArchive, temporaryFolder } from './package-fixture.ts'
import { createSigningKey } from './signature.ts'
import { PluginStore } from './store.ts'

const acme = createSigningKey('acme')
const trust = [{ ...acme, addedAt: 0 }]
const from = { source: 'upload', now: 1000 }

test('versions of a plugin lie side by side, newest first, and go one by one', async () => {
  await using folder = await temporaryFolder()
  const store = new PluginStore(path.join(folder.path, 'plugins'))
  const one = await store.stage(await sampleArchive(), from)
  const ten = await store.stage(await sampleArchive({ manifest: { version: '1.10.0' } }), from)
  const two = await store.stage(await sampleArchive({ manifest: { version: '1.2.0' } }), from)

  expect(one).toMatchObject({
    id: 'acme.tea',
    version: '1.0.0',
    source: 'upload',
    installedAt: 1000,
    files: 5,
  })
  expect(one.manifest.displayName).toEqual({ en: 'Tea', 'zh-CN': '茶' })
  expect(await readFile(path.join(one.dir, 'README.md'), 'utf8')).toBe('# Tea\n')
  expect((await store.list('acme.tea')).map(({ version }) => version)).toEqual(['1.10.0', '1.2.0', '1.0.0'])
  expect(await store.list()).toHaveLength(3)

  await store.remove('acme.tea', two.version)
  await store.remove('acme.tea', two.version)
  expect((await store.list()).map(({ version }) => version)).toEqual(['1.10.0', '1.0.0'])
  await store.remove('acme.tea')
  expect(await store.list()).toEqual([])
  await expect(store.verify('acme.tea', ten.version)).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
})

test('the same package twice is one, another one under the same version is refused', async () => {
  await using folder = await temporaryFolder()
  const store = new PluginStore(folder.path)
  const first = await store.stage(await sampleArchive(), from)
  const again = await store.stage(await sampleArchive(), { ...from, now: 2000 })
  expect(again.installedAt).toBe(first.installedAt)
  const other = await sampleArchive({ files: { 'index.js': 'export default {}\n' } })
  await expect(store.stage(other, from)).rejects.toMatchObject({ code: 'E_VERSION_EXISTS', status: 409 })
  const [both] = await Promise.all([
    store.stage(await sampleArchive(), from),
    store.stage(await sampleArchive(), from),
  ])
  expect(both.digest).toBe(first.digest)
  expect(await readdir(path.join(folder.path, '.staging'))).toEqual([])
})

test('a plugin that was unsigned gets its signature when the same files come signed', async () => {
  await using folder = await temporaryFolder()
  const store = new PluginStore(folder.path)
  const plain = await store.stage(await sampleArchive(), from)
  const signed = await store.stage(await sampleArchive({ signedBy: acme }), { ...from, trust })
  expect(plain.signature).toEqual({ state: 'unsigned' })
  expect(signed).toMatchObject({ digest: plain.digest, signature: { state: 'trusted', publisher: 'acme' } })
  await store.stage(await sampleArchive(), from)
  expect((await store.verify('acme.tea', '1.0.0', { trust })).signature.state).toBe('trusted')
})

test.each([
  {
    what: 'a changed file',
    act: (dir: string) => appendFile(path.join(dir, 'index.js'), '//'),
    name: 'changed',
  },
  { what: 'an added file', act: (dir: string) => writeFile(path.join(dir, 'x.js'), ''), name: 'added' },
  { what: 'a missing file', act: (dir: string) => rm(path.join(dir, 'index.js')), name: 'missing' },
  {
    what: 'a missing signature',
    act: (dir: string) => rm(path.join(dir, 'huitou.sig.json')),
    name: 'missing',
  },
  {
    what: 'a link in place of a file',
    act: async (dir: string) => {
      await rm(path.join(dir, 'index.js'))
      await symlink('README.md', path.join(dir, 'index.js'))
    },
    name: 'changed',
  },
] as const)('$what after installing is noticed, signed or not', async ({ act, name }) => {
  await using folder = await temporaryFolder()
  for (const signedBy of [undefined, acme]) {
    const store = new PluginStore(path.join(folder.path, String(signedBy?.publisher)))
    const { dir, id, version } = await store.stage(await sampleArchive({ signedBy }), { ...from, trust })
    const before = await store.verify(id, version, { trust })
    expect(before).toMatchObject({ intact: true, changed: [], added: [], missing: [] })
    expect(before.signature.state).toBe(signedBy ? 'trusted' : 'unsigned')
    await act(dir).catch((error) => expect(error.code).toBe('ENOENT'))
    if (!signedBy && act.toString().includes('huitou.sig')) continue
    const after = await store.verify(id, version, { trust })
    expect(after.intact).toBe(false)
    expect(after.signature.state).toBe('broken')
    expect(after[name]).toHaveLength(1)
    const repaired = await store.stage(await sampleArchive({ signedBy }), { ...from, trust })
    expect((await store.verify(id, version, { trust })).intact).toBe(true)
    expect(repaired.dir).toBe(dir)
  }
})

test('the decision of the owner counts, not what the folder says of itself', async () => {
  await using folder = await temporaryFolder()
  const store = new PluginStore(folder.path)
  const { id, version, digest } = await store.stage(await sampleArchive(), from)
  await store.remove(id, version)
  await store.stage(await sampleArchive({ files: { 'index.js': 'steal()' } }), from)
  expect((await store.verify(id, version)).intact).toBe(true)
  expect(await store.verify(id, version, { digest })).toMatchObject({
    intact: false,
    signature: { state: 'broken' },
  })
})

test('a version whose folder is gone says so, and a name that leads elsewhere finds nothing', async () => {
  await using folder = await temporaryFolder()
  const store = new PluginStore(folder.path)
  const { dir, id, version } = await store.stage(await sampleArchive(), from)
  await rm(dir, { recursive: true })
  expect(await store.verify(id, version)).toMatchObject({ intact: false, missing: { length: 5 } })
  for (const name of ['..', '.staging', 'a/b', '../x', 'con.x', '']) {
    await expect(store.verify(name, '1.0.0')).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
    await expect(store.remove('acme.tea', name || '/')).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
  }
})

test.each([
  { version: '01.0.0', path: 'version' },
  { version: 'v1.0.0', path: 'version' },
  { publisher: '../acme', path: 'publisher' },
  { name: '../../tea', path: 'name' },
  { main: 'dist/index.js', path: 'main' },
  { main: '../index.js', path: 'main' },
  { engines: {}, path: 'engines' },
])('a manifest with $path wrong leaves nothing behind', async ({ path: key, ...manifest }) => {
  await using folder = await temporaryFolder()
  const store = new PluginStore(folder.path)
  const error = await store.stage(await sampleArchive({ manifest }), from).catch((reason) => reason)
  expect(error).toMatchObject({ code: 'E_MANIFEST', details: { file: 'package.json' } })
  expect(error.message).toMatch(/^package\.json: /)
  expect(error.details.findings[0].path).toContain(key)
  expect(await readdir(folder.path)).toEqual(['.staging'])
  expect(await readdir(path.join(folder.path, '.staging'))).toEqual([])
})

test('what an interrupted installation left is swept away after an hour', async () => {
  await using folder = await temporaryFolder()
  const store = new PluginStore(folder.path)
  await store.stage(await sampleArchive(), from)
  const rest = path.join(folder.path, '.staging', 'rest')
  await mkdir(rest)
  await store.sweep()
  expect(await readdir(path.join(folder.path, '.staging'))).toEqual(['rest'])
  await store.sweep(Date.now() + 3_700_000)
  expect(await readdir(path.join(folder.path, '.staging'))).toEqual([])
  expect(await store.list()).toHaveLength(1)
})
