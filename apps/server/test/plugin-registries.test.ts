import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createSigningKey } from '@huitou/plugin-host/install'
import { startVerdaccio, type TestRegistry } from '@huitou/testing/verdaccio'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Call, get, post } from './plugin-calls.ts'
import { packTestPlugin, scoring } from './plugin-package.ts'
import { startTestServer, type TestServer } from './test-server.ts'

const key = createSigningKey('acme')
const name = '@private/tea'
const address = `/available/shop/${encodeURIComponent(name)}`
let verdaccio: TestRegistry
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huitou-registries-'))
  verdaccio = await startVerdaccio()
  // The registry of whoever runs the tests is none of theirs.
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9/')
  await publish('1.0.0')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await verdaccio[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** Publishes `@private/tea`, whose scores are multiplied by `times`, with npm itself. */
async function publish(version: string, times = 1, signing = key): Promise<void> {
  const file = path.join(folder, `tea-${version}.tgz`)
  writeFileSync(file, await packTestPlugin({ name, version, code: scoring(times), key: signing }))
  await verdaccio.publish(file)
}

async function warmth(call: Call, server: TestServer): Promise<unknown> {
  await server.settle()
  const body = JSON.stringify({ columns: ['tea_warmth'], limit: 1 })
  const answer = await call('/api/customers/search', { method: 'POST', body })
  return ((await answer.json()) as { rows: { columns: Record<string, unknown> }[] }).rows[0]?.columns[
    'tea_warmth'
  ]
}

test(
  'a plugin goes from npm to running, and to its next version, by its registry alone',
  { timeout: 90_000 },
  async () => {
    await using server = await startTestServer()
    const owner = await server.as()
    await server.huitou.core.events.append([
      {
        ...{ message_id: '1', source: 't', type: 'track', name: 'cup', ts: 1_770_000_000_000, version: 1 },
        body: JSON.stringify({ userId: 'a' }),
      },
    ])

    const { url, token } = verdaccio
    for (const registry of [
      { id: 'shop', kind: 'npm', title: 'Shop', url, token },
      { id: 'stranger', kind: 'npm', title: 'Without a token', url },
      { id: 'gone', kind: 'web', title: 'Gone', url: 'http://127.0.0.1:9/plugins/' },
    ]) {
      expect((await post(owner, '/registries', registry)).status).toBeLessThan(300)
    }
    expect(JSON.stringify(await get(owner, '/registries'))).not.toContain(token)

    const found = await get(owner, '/available?search=tea')
    const mine = found.results.filter(({ registry }: { registry: string }) => registry === 'shop')
    expect(mine).toMatchObject([
      { name, id: 'acme.tea', version: '1.0.0', publisher: 'acme', installed: null },
    ])
    expect(found.results.some(({ registry }: { registry: string }) => registry === 'stranger')).toBe(false)
    expect(found.problems).toContainEqual(
      expect.objectContaining({ registry: 'gone', code: 'E_REGISTRY_UNREACHABLE' }),
    )
    expect(await get(owner, address)).toMatchObject({
      readme: { en: expect.stringContaining('# Tea') },
      permissions: [{ permission: 'profile.read', names: ['event_count'] }],
      versions: [{ version: '1.0.0' }],
    })
    const refused = await post(owner, '/install', { registry: 'stranger', name })
    expect(refused.body).toMatchObject({ code: 'E_REGISTRY_AUTH' })

    const installed = await post(owner, '/install', { registry: 'shop', name })
    expect(installed, JSON.stringify(installed.body)).toMatchObject({
      status: 201,
      body: {
        state: 'disabled',
        signature: { state: 'unknown-publisher' },
        source: { registry: 'shop', name },
      },
    })
    const { publisher, publicKey } = key
    await post(owner, '/publishers', { publisher, publicKey })
    expect((await post(owner, '/acme.tea/enable', { grants: 'all' })).status).toBeLessThan(300)
    expect(await warmth(owner, server)).toBe(1)

    // Somebody else gets hold of the account, but not of the key.
    await publish('1.0.1', 5, createSigningKey('acme'))
    const hijacked = await post(owner, '/acme.tea/upgrade', { version: '1.0.1' })
    expect(hijacked).toMatchObject({ status: 409, body: { code: 'E_PUBLISHER_KEY' } })
    expect((await get(owner, '/acme.tea')).versions).toHaveLength(1)

    await publish('1.1.0', 2)
    const upgraded = await post(owner, '/acme.tea/upgrade')
    expect(upgraded, JSON.stringify(upgraded.body)).toMatchObject({ body: { version: '1.1.0' } })
    expect(await warmth(owner, server)).toBe(2)
  },
)
