import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { listTrials } from '@huitou/core'
import { expect, test } from 'vitest'
import type { Config } from '../src/config.ts'
import { openHuitou } from '../src/open-huitou.ts'
import { type Call, post, upload, view } from './plugin-calls.ts'
import { scoring, teaContributes } from './plugin-package.ts'
import { startTestServer } from './test-server.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }

/** The real server as a process of its own, and a session of its owner. */
async function start({ dataDir, secret }: Config): Promise<{ child: ChildProcess; owner: Call }> {
  const main = path.join(import.meta.dirname, '../src/main.ts')
  const child = spawn(process.execPath, [main, 'serve', '--data', dataDir, '--port', '0', '--json'], {
    env: { ...process.env, HUITOU_LOG_LEVEL: 'silent', HUITOU_SECRET: secret },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  const { url } = JSON.parse(line) as { url: string }
  const answer = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: url },
    body: JSON.stringify({ email: 'owner@example.com', password: 'correct horse battery' }),
  })
  const Cookie = answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';', 1)[0])
    .join('; ')
  const headers = { Cookie, Origin: url, 'Content-Type': 'application/json' }
  return { child, owner: (route, init = {}) => fetch(`${url}${route}`, { ...init, headers }) }
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

test(
  'kill -9 in the middle of an upgrade leaves the old version, right after it the new one',
  { timeout: 120_000 },
  async () => {
    await using server = await startTestServer()
    const owner = await server.as()
    const { factor } = teaContributes.configuration.properties
    const [blends] = teaContributes.collections
    const contributes = {
      ...teaContributes,
      configuration: { type: 'object', properties: { factor, brew: { type: 'string', default: 'green' } } },
      collections: [
        {
          ...blends,
          schema: {
            ...blends!.schema,
            properties: { ...blends!.schema.properties, year: { type: 'integer', default: 1 } },
          },
        },
      ],
    }
    await upload(owner, {})
    await post(owner, '/acme.tea/enable', { grants: 'all', allowUnsigned: true })
    await owner('/api/plugins/acme.tea/settings', {
      method: 'PUT',
      body: JSON.stringify({ settings: { factor: 3, token: 'canary' } }),
    })
    await server.huitou.core.collections.insert(
      'acme.tea/blends',
      { name: 'Earl Grey' },
      { by: 'plugin:acme.tea' },
    )
    const endless = scoring().replace(
      'activate(huitou) {',
      'async activate(huitou) { await new Promise((go) => setTimeout(go, 60_000));',
    )
    await upload(owner, { version: '1.1.0', contributes, code: endless })
    await upload(owner, { version: '1.2.0', contributes })

    await server.restart(async () => {
      const { child, owner: inside } = await start(server.config)
      const upgrade = post(inside, '/acme.tea/upgrade', { version: '1.1.0', allowUnsigned: true }).catch(
        () => {},
      )
      // The database says 1.1.0 from the moment that it is tried; the code in use is still that of before.
      for (let tried = false; !tried;)
        tried = (await view(inside)).versions.some(({ version, active }) => active && version === '1.1.0')
      {
        // A command beside the running server leaves to it what it is at.
        await using command = await openHuitou({ config: server.config, log: silent })
        expect(await listTrials(command.core.database.db)).toMatchObject([{ to: '1.1.0', state: 'trial' }])
      }
      await kill(child)
      await upgrade
    })
    expect(await view(owner)).toMatchObject({
      version: '1.0.0',
      state: 'enabled',
      fault: { code: 'E_UPGRADE_INTERRUPTED' },
    })
    expect(server.huitou.host.getPlugin('acme.tea').settings).toMatchObject({ factor: 3, token: 'canary' })
    const old = await server.huitou.core.collections.find('acme.tea/blends', { limit: 10 })
    expect(old.records.map(({ data }) => data)).toEqual([{ name: 'Earl Grey' }])

    await server.restart(async () => {
      const { child, owner: inside } = await start(server.config)
      const upgraded = await post(inside, '/acme.tea/upgrade', { version: '1.2.0', allowUnsigned: true })
      expect(upgraded.body).toMatchObject({ version: '1.2.0' })
      await kill(child)
    })
    expect(await view(owner)).toMatchObject({ version: '1.2.0', state: 'enabled', fault: null })
    expect(server.huitou.host.getPlugin('acme.tea').settings).toEqual({ factor: 3, brew: 'green' })
    const young = await server.huitou.core.collections.find('acme.tea/blends', { limit: 10 })
    expect(young.records.map(({ data }) => data)).toEqual([{ name: 'Earl Grey', year: 1 }])
  },
)
