import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fitsHost } from './host-pattern.ts'
import { PluginFetch } from './plugin-fetch.ts'
import { isPrivateAddress } from './private-address.ts'

let server: Server
let port: number
const seen: { url: string; headers: Record<string, unknown>; body: string; method: string }[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = request.url ?? ''
      seen.push({
        url,
        headers: request.headers,
        method: request.method ?? '',
        body: Buffer.concat(chunks).toString(),
      })
      if (url === '/endless') {
        const pour = () =>
          void (response.destroyed || (response.write(Buffer.alloc(1_048_576)), setImmediate(pour)))
        pour()
      } else if (url === '/bomb') {
        response.writeHead(200, { 'content-encoding': 'gzip' })
        response.end(gzipSync(Buffer.alloc(30 * 1_048_576)))
      } else if (url === '/silent') response.flushHeaders()
      else if (url.startsWith('/to/'))
        response.writeHead(302, { location: decodeURIComponent(url.slice(4)) }).end()
      else response.writeHead(200, { 'x-answer': 'yes' }).end(`hello ${url}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => void server.close())

/** Names of a network in which everything leads to this machine, which claims to be out in the world. */
const addresses: Record<string, string> = {
  'api.example.com': '127.0.0.1',
  'intranet.internal': '127.0.0.1',
  'public.example.com': '93.184.215.14',
}
let time = 0
const network = new PluginFetch({
  clock: { now: () => (time += 60_000) },
  lookup: (name, answer) =>
    addresses[name] ? answer(null, [{ address: addresses[name], family: 4 }]) : answer(new Error('none'), []),
})
afterAll(() => network.close())

const as = (patterns: string[]) => ({
  pluginId: 'test.p',
  permissions: { network: patterns.map((pattern) => pattern.replace('PORT', String(port))) },
  signal: new AbortController().signal,
})
const local = () => as(['127.0.0.1:PORT', 'intranet.internal:PORT'])
const text = (body: Uint8Array) => new TextDecoder().decode(body)

test('a granted host answers', async () => {
  const answer = await network.fetch(local(), `http://127.0.0.1:${port}/a`, {
    method: 'post',
    headers: { 'Content-Type': 'text/plain', Host: 'evil.example', 'Transfer-Encoding': 'chunked' },
    body: 'hi',
  })
  expect([answer.status, text(answer.body)]).toEqual([200, 'hello /a'])
  expect(new Map(answer.headers).get('x-answer')).toBe('yes')
  expect(seen.at(-1)).toMatchObject({ method: 'POST', body: 'hi', headers: { host: `127.0.0.1:${port}` } })
  const named = await network.fetch(local(), `http://intranet.internal:${port}/b`, {})
  expect(text(named.body)).toBe('hello /b')
})

test.each([
  ['another host', ['example.com'], 'http://example.org/', 'E_PERMISSION'],
  ['another port', ['127.0.0.1'], 'http://127.0.0.1:PORT/', 'E_PERMISSION'],
  ['a password in the URL', ['127.0.0.1:PORT'], 'http://a:b@127.0.0.1:PORT/', 'E_PERMISSION'],
  ['a file', ['*'], 'file:///etc/passwd', 'E_PERMISSION'],
  ['no URL', ['*'], 'nonsense', 'E_PERMISSION'],
  ['a name that leads inside', ['api.example.com:PORT'], 'http://api.example.com:PORT/', 'E_FETCH_PRIVATE'],
  ['a family that leads inside', ['*.example.com:PORT'], 'http://api.example.com:PORT/', 'E_FETCH_PRIVATE'],
  [
    'an internal name by its family',
    ['*.internal:PORT'],
    'http://intranet.internal:PORT/',
    'E_FETCH_PRIVATE',
  ],
  ['an unknown name', ['no.example.com'], 'https://no.example.com/', 'E_FETCH'],
])('%s is refused', async (_, patterns, url, code) => {
  const before = seen.length
  await expect(network.fetch(as(patterns), url.replace('PORT', String(port)), {})).rejects.toMatchObject({
    code,
  })
  expect(seen.length).toBe(before)
})

test('a header that would begin another one is named, and nothing is sent', async () => {
  const before = seen.length
  const headers = { 'x-note': 'a\r\nHost: evil.example' }
  await expect(network.fetch(local(), `http://127.0.0.1:${port}/`, { headers })).rejects.toMatchObject({
    code: 'E_FETCH_REQUEST',
    message: expect.stringContaining('x-note') as string,
  })
  expect(seen.length).toBe(before)
})

test('a redirect is followed within what was granted, and checked anew', async () => {
  const to = (url: string) => `http://127.0.0.1:${port}/to/${encodeURIComponent(url)}`
  const answer = await network.fetch(local(), to(`http://intranet.internal:${port}/end`), {
    method: 'POST',
    body: 'x',
    headers: { Authorization: 'secret', 'X-Other': 'kept' },
  })
  expect([answer.url, text(answer.body)]).toEqual([`http://intranet.internal:${port}/end`, 'hello /end'])
  expect(seen.at(-1)).toMatchObject({ method: 'GET', body: '', headers: { 'x-other': 'kept' } })
  expect(seen.at(-1)?.headers['authorization']).toBeUndefined()
  await expect(network.fetch(local(), to('http://169.254.169.254/latest'), {})).rejects.toMatchObject({
    code: 'E_PERMISSION',
    details: { name: '169.254.169.254' },
  })
  await expect(network.fetch(local(), to('file:///etc/passwd'), {})).rejects.toMatchObject({
    code: 'E_PERMISSION',
  })
  await expect(network.fetch(local(), to('/x'), { redirect: 'error' })).rejects.toMatchObject({
    code: 'E_FETCH_REDIRECT',
  })
  expect((await network.fetch(local(), to('/x'), { redirect: 'manual' })).status).toBe(302)
})

test('answers without end, packed or silent are cut', async () => {
  const get = (path: string, init = {}) => network.fetch(local(), `http://127.0.0.1:${port}${path}`, init)
  await expect(get('/endless')).rejects.toMatchObject({ code: 'E_FETCH_TOO_LARGE' })
  await expect(get('/bomb')).rejects.toMatchObject({ code: 'E_FETCH_TOO_LARGE' })
  await expect(get('/silent', { timeoutMs: 200 })).rejects.toMatchObject({ code: 'E_FETCH_TIMEOUT' })
  const abort = new AbortController()
  const stopped = network.fetch({ ...local(), signal: abort.signal }, `http://127.0.0.1:${port}/silent`, {})
  setTimeout(() => abort.abort(), 50)
  await expect(stopped).rejects.toMatchObject({ code: 'E_FETCH' })
})

test('a plugin that sends too many requests is told to wait', async () => {
  const still = new PluginFetch({ clock: { now: () => 0 } })
  const answers = await Promise.allSettled(
    Array.from({ length: 30 }, () => still.fetch(local(), `http://127.0.0.1:${port}/many`, {})),
  )
  const refused = answers.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(14)
  expect(refused[0]).toMatchObject({ reason: { code: 'E_FETCH_BUSY' } })
  await still.close()
})

test.each([
  ['127.0.0.1', true],
  ['10.1.2.3', true],
  ['172.31.0.1', true],
  ['172.32.0.1', false],
  ['169.254.169.254', true],
  ['100.64.0.1', true],
  ['0.0.0.0', true],
  ['8.8.8.8', false],
  ['::1', true],
  ['::', true],
  ['fe80::1%eth0', true],
  ['fd00::1', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:7f00:1', true],
  ['::ffff:8.8.8.8', false],
  ['64:ff9b::a00:1', true],
  ['2002:7f00:1::', true],
  ['::7f00:1', true],
  ['::ffff:0:7f00:1', true],
  ['64:ff9b:1::7f00:1', true],
  ['2606:4700::1111', false],
  ['localhost', true],
])('%s is private: %s', (address, expected) => {
  expect(isPrivateAddress(address)).toBe(expected)
})

test.each([
  ['api.example.com', 'https://api.example.com/x', true],
  ['api.example.com', 'https://API.example.com./x', true],
  ['api.example.com', 'http://api.example.com/x', true],
  ['api.example.com', 'https://api.example.com:8443/', false],
  ['api.example.com:8443', 'https://api.example.com:8443/', true],
  ['api.example.com', 'https://api.example.com.evil.org/', false],
  ['api.example.com', 'https://evilapi.example.com/', false],
  ['*.example.com', 'https://a.b.example.com/', true],
  ['*.example.com', 'https://example.com/', false],
  ['*.example.com', 'https://notexample.com/', false],
  ['*', 'https://example.com/', false],
  ['127.0.0.1', 'http://0x7f.1/', true],
  ['[::1]:80', 'http://[::1]/', true],
  ['api.example.com', 'https://api.example.com@evil.org/', false],
])('pattern %s and %s: %s', (pattern, url, expected) => {
  expect(fitsHost(pattern, url)).toBe(expected)
})
