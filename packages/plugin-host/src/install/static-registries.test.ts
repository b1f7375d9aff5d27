import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, test } from 'vitest'
import { newestCompatible } from './describe.ts'
import { packSample, temporaryFolder } from './package-fixture.ts'
import { writeIndex } from './plugin-index.ts'
import type { Registry } from './registry.ts'
import { folderRegistry, webRegistry } from './static-registries.ts'

/** A folder of plugins, and the same folder on a web server. */
async function openBoth() {
  const folder = await temporaryFolder()
  const put = async (name: string, manifest: Record<string, unknown> = {}) =>
    writeFile(path.join(folder.path, name), await packSample({ manifest }))
  await put('tea-1.tgz')
  await put('tea-2.tgz', { version: '1.2.0', description: 'Counts pots of tea' })
  await put('tea-3.tgz', { version: '2.0.0-rc.1', engines: { huitou: '^9' } })
  await put('coffee.tgz', {
    name: 'coffee',
    publisher: 'beans',
    displayName: 'Coffee',
    keywords: ['arabica'],
  })
  await mkdir(path.join(folder.path, 'folder.tgz'))
  const server = createServer((request, response) => {
    readFile(path.join(folder.path, request.url!)).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await writeIndex(folder.path)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    path: folder.path,
    put,
    registries: [
      folderRegistry({ id: 'folder', title: 'Folder', path: folder.path }),
      webRegistry({ id: 'web', title: 'Web', url }),
      webRegistry({ id: 'web', title: 'Web', url: `${url}/index.json?x=1` }),
    ] satisfies Registry[],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

test('a folder of packages is a registry, on this machine or on any web server', async () => {
  await using both = await openBoth()
  for (const registry of both.registries) {
    const ids = async (text: string) =>
      (await registry.search(text)).map(({ id, version }) => `${id} ${version}`)
    expect(await ids('')).toEqual(['acme.tea 1.2.0', 'beans.coffee 1.0.0'])
    expect(await ids('茶')).toEqual(['acme.tea 1.2.0'])
    expect(await ids('POTS acme')).toEqual(['acme.tea 1.2.0'])
    expect(await ids('arabica')).toEqual(['beans.coffee 1.0.0'])
    expect(await ids('pots arabica')).toEqual([])

    const details = await registry.details('@acme/tea')
    expect(details).toMatchObject({
      version: '1.2.0',
      readme: { en: '# Tea\n' },
      signature: { state: 'unsigned' },
    })
    expect(details.versions.map(({ version }) => version)).toEqual(['2.0.0-rc.1', '1.2.0', '1.0.0'])
    expect(newestCompatible(details.versions, '0.1.5')).toBe('1.2.0')
    expect(newestCompatible(details.versions, '9.0.0')).toBe('2.0.0-rc.1')

    const { bytes, archive } = await registry.download('@acme/tea', '1.0.0')
    expect(Buffer.from(bytes)).toEqual(await readFile(path.join(both.path, 'tea-1.tgz')))
    expect(archive.version).toBe('1.0.0')
    await expect(registry.download('@acme/tea', '1.0.1')).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
    await expect(registry.details('tea')).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
  }
})

test('a folder is read anew each time, its index is what was written last', async () => {
  await using both = await openBoth()
  const [folder, web] = both.registries
  await rm(path.join(both.path, 'coffee.tgz'))
  await both.put('tea-4.tgz', { version: '1.3.0' })
  expect((await folder!.search('')).map(({ version }) => version)).toEqual(['1.3.0'])
  expect((await web!.search('')).map(({ version }) => version)).toEqual(['1.2.0', '1.0.0'])
  await expect(web!.download('coffee', 'latest')).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
  await writeIndex(both.path)
  expect((await web!.search('')).map(({ version }) => version)).toEqual(['1.3.0'])
})

test('an index is the same for the same packages, and names what it leaves out', async () => {
  await using both = await openBoth()
  const before = await readFile(path.join(both.path, 'index.json'), 'utf8')
  expect((await writeIndex(both.path)).problems).toEqual([])
  expect(await readFile(path.join(both.path, 'index.json'), 'utf8')).toBe(before)
  await writeFile(path.join(both.path, 'a.tgz'), 'no archive')
  await both.put('twin.tgz')
  await both.put('odd.tgz', { version: 'one' })
  const { index, problems } = await writeIndex(both.path)
  expect(index.packages).toHaveLength(4)
  expect(problems.map(({ file, code }) => `${file} ${code}`)).toEqual([
    'a.tgz E_ARCHIVE',
    'odd.tgz E_MANIFEST',
    'twin.tgz E_VERSION_EXISTS',
  ])
})

test('a folder that is not there is a mistake in the settings', async () => {
  const registry = folderRegistry({ id: 'folder', title: 'Folder', path: '/nowhere/at/all' })
  await expect(registry.search('')).rejects.toMatchObject({ code: 'E_REGISTRY_SETTING' })
})
