import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { npmRegistry } from './npm-registry.ts'
import { packSample } from './package-fixture.ts'
import { webRegistry } from './static-registries.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const token = 'very-secret-token'
const huge = gzipSync(Buffer.alloc(40_000_000, ' '), { level: 1 })
let here: Awaited<ReturnType<typeof serve>>
let elsewhere: Awaited<ReturnType<typeof serve>>
let tea: Uint8Array
let coffee: Uint8Array

beforeAll(async () => {
  ;[here, elsewhere, tea, coffee] = await Promise.all([
    serve(),
    serve(),
    packSample(),
    packSample({ manifest: { name: 'coffee' } }),
  ])
})
afterAll(() => Promise.all([here.close(), elsewhere.close()]))

const open = (timeoutMs?: number) =>
  npmRegistry({
    id: 'npm',
    title: 'npm',
    url: here.url,
    token,
    env: {},
    ...(timeoutMs !== undefined && { timeoutMs }),
  })

test.each<{ what: string; answer: Handler; code: string }>([
  {
    what: 'a page',
    answer: (_, response) => response.end('<title>Sign in</title>'),
    code: 'E_REGISTRY_ANSWER',
  },
  { what: 'nothing', answer: (_, response) => response.end(), code: 'E_REGISTRY_ANSWER' },
  { what: 'other JSON', answer: (_, response) => response.end('[1]'), code: 'E_REGISTRY_ANSWER' },
  { what: 'null', answer: (_, response) => response.end('null'), code: 'E_REGISTRY_ANSWER' },
  { what: 'an error', answer: status(500), code: 'E_REGISTRY_ANSWER' },
  { what: 'an odd status', answer: status(206), code: 'E_REGISTRY_ANSWER' },
  { what: 'a refusal', answer: status(403), code: 'E_REGISTRY_AUTH' },
  { what: 'no such page', answer: status(404), code: 'E_NOT_FOUND' },
  { what: 'a closed line', answer: (request) => request.socket.destroy(), code: 'E_REGISTRY_UNREACHABLE' },
  {
    what: 'half an answer',
    answer: (request, response) => {
      response.setHeader('content-length', '1000')
      response.write('{', () => request.socket.destroy())
    },
    code: 'E_REGISTRY_UNREACHABLE',
  },
  {
    what: 'a huge answer, announced',
    answer: (_, response) => response.writeHead(200, { 'content-length': '9000000000' }).flushHeaders(),
    code: 'E_REGISTRY_TOO_LARGE',
  },
  {
    what: 'a huge answer, zipped',
    answer: (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(huge),
    code: 'E_REGISTRY_TOO_LARGE',
  },
  {
    what: 'a circle',
    answer: (request, response) => response.writeHead(302, { location: request.url }).end(),
    code: 'E_REGISTRY_ANSWER',
  },
  { what: 'a way out of the web', answer: redirect('file:///etc/passwd'), code: 'E_REGISTRY_ANSWER' },
])('$what instead of an answer is said to be that', async ({ answer, code }) => {
  here.answer = answer
  const registry = open()
  for (const call of [() => registry.search('tea'), () => registry.details('tea')]) {
    const error = await call().catch((reason) => reason)
    expect(error).toMatchObject({ code, message: expect.any(String), hint: expect.any(String) })
    expect(`${error.message} ${error.hint}`).not.toContain(token)
  }
})

test('a registry that does not answer is given up, and so is one that answers drop by drop', async () => {
  here.answer = () => {}
  await expect(open(60).search('')).rejects.toMatchObject({
    code: 'E_REGISTRY_TIMEOUT',
    status: 504,
    kind: 'world',
  })
  here.answer = (_, response) => response.write('{')
  await expect(open(60).details('tea')).rejects.toMatchObject({ code: 'E_REGISTRY_TIMEOUT' })
})

test('who gives up waiting is not told of a fault', async () => {
  const abort = new AbortController()
  here.answer = () => abort.abort(new Error('left the page'))
  await expect(open().search('', { signal: abort.signal })).rejects.toThrow('left the page')
})

test('a redirect keeps the token within the registry and drops it on the way elsewhere', async () => {
  const document = packument(tea)
  here.answer = (request, response) => {
    if (request.url === '/tea') redirect('/moved/tea')(request, response)
    else if (request.url === '/moved/tea') response.end(JSON.stringify(document))
    else redirect(`${elsewhere.url}file.tgz`)(request, response)
  }
  elsewhere.answer = (_, response) => response.end(tea)
  await expect(open().download('tea', '1.0.0')).rejects.toMatchObject({ code: 'E_REGISTRY_ANSWER' })
  const named = packument(await packSample({ manifest: { name: 'tea' } }))
  elsewhere.answer = (_, response) =>
    void packSample({ manifest: { name: 'tea' } }).then((bytes) => response.end(bytes))
  Object.assign(document, named)
  expect((await open().download('tea', '1.0.0')).archive.name).toBe('tea')
  expect(
    here.seen.filter(({ url }) => url === '/moved/tea').every(({ auth }) => auth === `Bearer ${token}`),
  ).toBe(true)
  expect(elsewhere.seen.length).toBeGreaterThan(0)
  expect(elsewhere.seen.every(({ auth }) => auth === undefined)).toBe(true)
})

test('a package on another host is fetched without the token', async () => {
  elsewhere.seen.length = 0
  const bytes = await packSample({ manifest: { name: 'tea' } })
  here.answer = (_, response) => response.end(JSON.stringify(packument(bytes, `${elsewhere.url}tea.tgz`)))
  elsewhere.answer = (_, response) => response.end(bytes)
  expect((await open().download('tea', 'latest')).version).toBe('1.0.0')
  expect(elsewhere.seen).toEqual([{ url: '/tea.tgz', auth: undefined }])
})

test.each([
  { what: 'other bytes', change: {}, send: () => coffee, code: 'E_REGISTRY_INTEGRITY' },
  { what: 'no integrity', change: { integrity: undefined }, send: () => tea, code: 'E_REGISTRY_INTEGRITY' },
  {
    what: 'a weak integrity',
    change: { integrity: 'sha1-abc' },
    send: () => tea,
    code: 'E_REGISTRY_INTEGRITY',
  },
  { what: 'no address', change: { tarball: undefined }, send: () => tea, code: 'E_REGISTRY_ANSWER' },
  {
    what: 'a file address',
    change: { tarball: 'file:///etc/passwd' },
    send: () => tea,
    code: 'E_REGISTRY_ANSWER',
  },
  { what: 'another plugin', change: {}, send: () => tea, code: 'E_REGISTRY_ANSWER' },
])('a package with $what is refused', async ({ change, send, code }) => {
  const document = packument(tea)
  Object.assign(document.versions['1.0.0'].dist, change)
  // The registry says "coffee" where the package says "@acme/tea".
  here.answer = (request, response) =>
    response.end(request.url === '/coffee' ? JSON.stringify(document) : send())
  await expect(open().download('coffee', '1.0.0')).rejects.toMatchObject({ code })
})

test('one package that cannot be read does not hide the others', async () => {
  const objects = [
    { package: { name: 'broken' } },
    { package: { name: '../x' } },
    null,
    {},
    { package: { name: 'tea' } },
  ]
  const line = {
    name: 'tea',
    version: '1.0.0',
    publisher: 'acme',
    engines: { huitou: '*' },
    displayName: '%x%',
  }
  here.answer = (request, response) => {
    if (request.url?.startsWith('/-/')) response.end(JSON.stringify({ objects }))
    else if (request.url === '/tea/latest') response.end(JSON.stringify(line))
    else status(500)(request, response)
  }
  expect(await open().search('')).toMatchObject([{ id: 'acme.tea', displayName: { en: 'tea' } }])
})

test('the index of a folder names packages of that folder only', async () => {
  const registry = (timeoutMs = 1000) =>
    webRegistry({ id: 'web', title: 'web', url: `${here.url}plugins/`, token, timeoutMs })
  const entry = {
    ...{
      name: '@acme/tea',
      id: 'acme.tea',
      publisher: 'acme',
      version: '1.0.0',
      engine: '*',
      categories: [],
    },
    ...{ displayName: { en: 'Tea' }, description: { en: '' }, file: 'tea.tgz', integrity: integrity(tea) },
  }
  const answer = (changes: object) => (request: IncomingMessage, response: ServerResponse) =>
    response.end(
      request.url === '/plugins/index.json'
        ? JSON.stringify({
            format: 'huitou-plugins',
            packages: [{ ...entry, ...changes }, null, {}, { name: 'x' }],
          })
        : tea,
    )
  here.answer = answer({})
  expect((await registry().download('@acme/tea', 'latest')).version).toBe('1.0.0')
  expect(await registry().search('TEA')).toHaveLength(1)
  for (const file of [
    `${elsewhere.url}tea.tgz`,
    '//example.invalid/tea.tgz',
    'file:///etc/passwd',
    'data:,x',
  ]) {
    here.answer = answer({ file })
    await expect(registry().download('@acme/tea', 'latest')).rejects.toMatchObject({
      code: 'E_REGISTRY_ANSWER',
    })
  }
  here.answer = answer({ integrity: integrity(coffee) })
  await expect(registry().download('@acme/tea', 'latest')).rejects.toMatchObject({
    code: 'E_REGISTRY_INTEGRITY',
  })
  here.answer = answer({ version: '2.0.0' })
  await expect(registry().details('@acme/tea')).rejects.toMatchObject({ code: 'E_REGISTRY_ANSWER' })
  here.answer = (_, response) => response.end('{"packages":[]}')
  await expect(registry().search('')).rejects.toMatchObject({ code: 'E_REGISTRY_ANSWER' })
  here.answer = () => {}
  await expect(registry(60).search('')).rejects.toMatchObject({ code: 'E_REGISTRY_TIMEOUT' })
  for (const url of ['ftp://x/', 'x', 'https://user:secret@example.invalid/', 'ftp://user:secret@x/']) {
    expect(() => webRegistry({ id: 'web', title: 'web', url })).not.toThrow('secret')
    expect(() => webRegistry({ id: 'web', title: 'web', url })).toThrow(
      expect.objectContaining({ code: 'E_REGISTRY_SETTING' }),
    )
  }
})

function packument(bytes: Uint8Array, tarball = '/file.tgz') {
  const dist = { tarball, integrity: integrity(bytes) }
  return { 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': { version: '1.0.0', dist } } }
}

function integrity(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`
}

function status(code: number): Handler {
  return (_, response) => response.writeHead(code).end('{}')
}

function redirect(location: string): Handler {
  return (_, response) => response.writeHead(302, { location }).end()
}

/** A server that answers as it is told and remembers who asked for what. */
async function serve() {
  const state = {
    answer: (() => {}) as Handler,
    seen: [] as { url: string; auth: string | undefined }[],
    url: '',
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  const server = createServer((request, response) => {
    state.seen.push({ url: request.url!, auth: request.headers.authorization })
    state.answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return state
}
