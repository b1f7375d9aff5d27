import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { runServer } from 'verdaccio'

const run = promisify(execFile)

/** A real npm registry, as a brand would run one. Who is not signed in sees nothing of `@private`. */
export interface TestRegistry extends AsyncDisposable {
  url: string
  token: string
  /** Environment of somebody whose `.npmrc` names this registry, with the token or without. */
  env(signedIn: boolean): NodeJS.ProcessEnv
  /** Publishes a `.tgz` file with npm itself. */
  publish(file: string, ...flags: string[]): Promise<void>
  /** Publishes the bytes of a `.tgz` without starting npm, which takes a second each time. */
  put(manifest: { name: string; version: string }, bytes: Uint8Array): Promise<void>
}

/** Starts one on a free port, with its storage in a folder that goes away with it. */
export async function startVerdaccio(): Promise<TestRegistry> {
  const folder = await mkdtemp(path.join(tmpdir(), 'huitou-registry-'))
  const at = (...names: string[]) => path.join(folder, ...names)
  const config = {
    storage: at('storage'),
    configPath: at('config.yaml'),
    self_path: folder,
    auth: { htpasswd: { file: at('htpasswd') } },
    uplinks: {},
    web: { enable: false },
    packages: {
      '@private/*': { access: '$authenticated', publish: '$authenticated' },
      '**': { access: '$all', publish: '$authenticated' },
    },
    log: { type: 'file', path: at('log'), format: 'json', level: 'fatal' },
  }
  // Its type asks for every setting there is.
  const server = (await runServer(config as unknown as Parameters<typeof runServer>[0])) as Server
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const token = await signUp(url)
  for (const [name, line] of [
    ['in', `${url.slice('http:'.length)}:_authToken=${token}\n`],
    ['out', ''],
  ]) {
    await mkdir(at(name!))
    await writeFile(at(name!, '.npmrc'), `registry=${url}\n${line}`)
  }
  const env = (signedIn: boolean) => ({ PATH: process.env['PATH'], HOME: at(signedIn ? 'in' : 'out') })
  return {
    url,
    token,
    env,
    async publish(file, ...flags) {
      await run('npm', ['publish', file, '--ignore-scripts', ...flags], { cwd: at('in'), env: env(true) })
    },
    async put({ name, version, ...rest }, bytes) {
      const file = `${name.split('/').at(-1)}-${version}.tgz`
      const dist = {
        integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
        shasum: createHash('sha1').update(bytes).digest('hex'),
        tarball: `${url}${name}/-/${file}`,
      }
      const attachment = {
        content_type: 'application/octet-stream',
        data: Buffer.from(bytes).toString('base64'),
      }
      const document = {
        _id: name,
        name,
        'dist-tags': { latest: version },
        versions: { [version]: { ...rest, _id: `${name}@${version}`, name, version, dist } },
        _attachments: { [file]: { ...attachment, length: bytes.length } },
      }
      const answer = await fetch(`${url}${encodeURIComponent(name)}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(document),
      })
      if (!answer.ok) throw new Error(`${name} was not published: ${answer.status} ${await answer.text()}`)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function signUp(url: string): Promise<string> {
  const body = JSON.stringify({ name: 'ann', password: 'long enough' })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}-/user/org.couchdb.user:ann`, { method: 'PUT', headers, body })
  return ((await response.json()) as { token: string }).token
}
