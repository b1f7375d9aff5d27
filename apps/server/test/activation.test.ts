import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { apiVersion } from '@huitou/plugin-api'
import { expect, test } from 'vitest'
import { startTestServer } from './test-server.ts'

/** A plugin that has nothing to offer and is started by `activationEvents`. */
function writePlugin(root: string, name: string, activationEvents: string[]): string {
  const dir = path.join(root, name)
  mkdirSync(dir)
  const manifest = {
    publisher: 'test',
    name,
    version: '1.0.0',
    engines: { huitou: `^${apiVersion}` },
    displayName: name,
    description: name,
    main: './index.mjs',
    activationEvents,
    permissions: { 'events.read': ['*'] },
  }
  writeFileSync(path.join(dir, 'package.json'), JSON.stringify(manifest))
  writeFileSync(path.join(dir, 'index.mjs'), 'export default { activate() {} }')
  return dir
}

test('plugins start with the server, or once an event that they asked for has happened', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'huitou-activation-'))
  await using server = await startTestServer('sqlite', [
    writePlugin(root, 'early', ['onStartupFinished']),
    writePlugin(root, 'tastings', ['onEvent:tasting.*']),
    writePlugin(root, 'other', ['onEvent:lottery.*']),
  ])
  const { core, host } = server.huitou
  const running = (name: string) => {
    const { state, running } = host.getPlugin(`test.${name}`)
    return [state, running.reason]
  }
  await expect.poll(() => running('early'), { timeout: 20_000 }).toEqual(['active', 'onStartupFinished'])
  expect(running('tastings')).toEqual(['enabled', undefined])
  core.start()
  const response = await fetch(`${server.url}/v1/track`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${server.writeKey}:`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ userId: 'u1', event: 'tasting.attended' }),
  })
  expect(response.status).toBe(200)
  await expect
    .poll(() => running('tastings'), { timeout: 20_000 })
    .toEqual(['active', 'onEvent:tasting.attended'])
  expect(running('other')).toEqual(['enabled', undefined])
  rmSync(root, { recursive: true })
})
