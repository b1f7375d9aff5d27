import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { userError } from '@huitou/plugin-api'
import { createPluginFolder } from '../test/fixture-plugins.ts'
import { createPluginHost } from './host.ts'
import type { HostEvent, PluginHostOptions } from './host-options.ts'
import type { PluginHost } from './host.ts'
import type { PluginLocation } from './plugin-record.ts'

const brand = { currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'zh-CN' }

async function createHost(
  locations: PluginLocation[],
  options: Partial<PluginHostOptions> = {},
): Promise<PluginHost> {
  return await createPluginHost({ plugins: locations, brand, effects: () => undefined, ...options })
}

const scorer = (code: string) =>
  `huitou.scorers.register('score', { async score(batch, context) { ${code} } })`
const score = (host: PluginHost, name: string, argument: unknown = null, options = {}) =>
  host.call(`test.${name}`, 'scorers', 'score', 'score', [argument], options)
const here = (dir: string, more: Partial<PluginLocation> = {}): PluginLocation => ({
  dir,
  trusted: false,
  enabled: true,
  ...more,
})
const version = (host: PluginHost, name: string) => host.getPlugin(`test.${name}`).manifest.version

/** A scorer that answers its version, or waits for `release` and then answers it. */
const versioned = (number: number) =>
  scorer(`
    if (batch === 'wait') { huitou.log.info('waiting'); await new Promise((go) => { globalThis.release = go }) }
    if (batch === 'release') globalThis.release()
    return ${number}`)

test.each([{ trusted: false }, { trusted: true }])(
  'calls under way finish in the old version, new ones go to the new, others notice nothing (trusted: $trusted)',
  async ({ trusted }) => {
    await using folder = await createPluginFolder()
    const one = await folder.write('app', versioned(1))
    const two = await folder.write('app', versioned(2), { folder: 'two', version: '2.0.0' })
    const other = await folder.write('other', versioned(9))
    const { promise: waitingBegan, resolve } = Promise.withResolvers<void>()
    await using host = await createHost([here(one, { trusted }), here(other, { trusted })], {
      effects: (id) => id === 'test.app' && resolve(),
    })
    const changes: string[] = []
    host.onDidChangeContributions(
      ({ added, removed }) => void changes.push(`-${removed.length}+${added.length}`),
    )
    await score(host, 'other')
    const otherBefore = host.getPlugin('test.other').running
    const begun = score(host, 'app', 'wait')
    const released = score(host, 'app', 'nothing').then(() => waitingBegan)
    await released
    const replaced = await host.replace('test.app', { dir: two, trusted })
    expect(replaced).toMatchObject({ state: 'active', running: { reason: 'onReplace' } })
    expect(await score(host, 'app')).toBe(2)
    expect(version(host, 'app')).toBe('2.0.0')
    expect(changes).toEqual(['-1+1'])
    expect(host.getPlugin('test.other').running.activatedAt).toBe(otherBefore.activatedAt)
    // The old one still runs: only it can let the call go.
    const stillWaiting = await Promise.race([begun, score(host, 'app')])
    expect(stillWaiting).toBe(2)
    const closed = expect(begun).rejects.toMatchObject({ code: 'E_PLUGIN_REPLACED' })
    await host.close()
    await closed
  },
)

test('a call that ends in time ends well in the version it began in', async () => {
  await using folder = await createPluginFolder()
  const slow = scorer('huitou.log.info("began"); return await huitou.customers.read({ columns: [] })')
  const one = await folder.write('app', slow)
  const two = await folder.write('app', versioned(2), { folder: 'two', version: '2.0.0' })
  const { promise: began, resolve: begin } = Promise.withResolvers<void>()
  const { promise: go, resolve: letGo } = Promise.withResolvers<string>()
  await using host = await createHost([here(one, { trusted: true })], {
    effects: (_id, method) => (method === 'log' ? begin() : go),
  })
  const call = score(host, 'app')
  await began
  await host.replace('test.app', here(two, { trusted: true }))
  letGo('from the old one')
  expect(await call).toBe('from the old one')
  expect(await score(host, 'app')).toBe(2)
})

test('a version that does not start, crashes, is too slow or fails its probe leaves the old one as it was', async () => {
  await using folder = await createPluginFolder()
  const one = await folder.write('app', versioned(1))
  const write = async (name: string, body: string) =>
    here(await folder.write('app', body, { folder: name, version: '2.0.0' }), { trusted: true })
  await using host = await createHost([here(one, { trusted: true })])
  expect(await score(host, 'app')).toBe(1)
  const before = host.getPlugin('test.app')
  const probe = async (candidate: { call(...args: unknown[]): Promise<unknown> }) => {
    const target = { point: 'scorers', id: 'score', method: 'score' }
    if ((await candidate.call(target, [null])) === 1) throw userError('E_PROBE', 'same as before')
  }
  const cases = [
    { location: await write('throws', 'throw new Error("broken")'), message: 'broken' },
    { location: await write('dies', 'process.exit(4)'), message: 'exit code 4' },
    {
      location: await write('slow', 'return new Promise(() => {})'),
      message: 'not ready within',
      deadlineMs: 800,
    },
    { location: await write('loops', 'for (;;) {}'), message: 'not ready within', deadlineMs: 800 },
    { location: await write('same', versioned(1)), message: 'same as before', probe: probe as never },
  ]
  await Promise.all(
    cases.map(({ location, message, ...options }) =>
      expect(host.replace('test.app', location, options)).rejects.toThrow(message),
    ),
  )
  const said = host.log('test.app').filter(({ source, level }) => source === 'host' && level === 'error')
  for (const { message } of cases)
    expect(said.map((line) => line.message)).toContainEqual(
      expect.stringMatching(`^Version 2.0.0 did not start: .*${message}`),
    )
  const foreign = here(await folder.write('foreign', versioned(3)))
  await expect(host.replace('test.app', foreign)).rejects.toMatchObject({ code: 'E_PLUGIN_ID' })
  expect(host.getPlugin('test.app')).toMatchObject({
    state: 'active',
    error: undefined,
    running: { crashes: 0, activatedAt: before.running.activatedAt },
  })
  expect(version(host, 'app')).toBe('1.0.0')
  expect(await score(host, 'app')).toBe(1)
})

test('declarations that the core cannot take bring the old version back', async () => {
  await using folder = await createPluginFolder()
  const one = await folder.write('app', versioned(1))
  const two = await folder.write('app', versioned(2), { folder: 'two', version: '2.0.0' })
  await using host = await createHost([here(one, { trusted: true })])
  await score(host, 'app')
  const seen: string[] = []
  let refuse = true
  host.onDidChangeContributions(({ added, removed }) => {
    seen.push(`-${removed.length}+${added.length}`)
    if (refuse) {
      refuse = false
      throw userError('E_TAKEN', 'column taken')
    }
  })
  await expect(host.replace('test.app', here(two, { trusted: true }))).rejects.toMatchObject({
    code: 'E_TAKEN',
  })
  expect(seen).toEqual(['-1+1', '-1+1'])
  expect(version(host, 'app')).toBe('1.0.0')
  expect(await score(host, 'app')).toBe(1)
})

test('plugins come and go while others run', async () => {
  await using folder = await createPluginFolder()
  const base = await folder.write('base', scorer('return 1'))
  const needing = await folder.write('needing', scorer('return 2'), { pluginDependencies: ['test.base'] })
  await using host = await createHost([])
  const changes: string[] = []
  host.onDidChangeContributions(({ added, removed }) => {
    changes.push(
      ...added.map(({ pluginId }) => `+${pluginId}`),
      ...removed.map(({ pluginId }) => `-${pluginId}`),
    )
  })
  await expect(host.add(here(needing))).rejects.toMatchObject({ code: 'E_DEPENDENCY' })
  expect(host.list()).toEqual([])
  await host.add(here(base, { trusted: true }))
  await host.add(here(needing, { trusted: true, enabled: false }))
  await host.enable('test.needing')
  expect(await score(host, 'needing')).toBe(2)
  await expect(host.remove('test.base')).rejects.toMatchObject({ code: 'E_DEPENDENTS' })
  await host.remove('test.needing')
  await host.remove('test.base')
  expect(host.list()).toEqual([])
  expect(changes).toEqual(['+test.base', '+test.needing', '-test.needing', '-test.base'])
  await expect(score(host, 'base')).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
})

test('a quarantined plugin is free again once another version takes its place', async () => {
  await using folder = await createPluginFolder()
  const bad = await folder.write('app', scorer('process.exit(1)'))
  const good = await folder.write('app', versioned(2), { folder: 'good', version: '1.0.1' })
  let now = 0
  await using host = await createHost([here(bad, { trusted: true })], { clock: { now: () => now } })
  for (let crash = 0; crash < 3; crash++) {
    now += 10_000
    await score(host, 'app').catch(() => {})
  }
  expect(host.getPlugin('test.app').state).toBe('quarantined')
  await host.replace('test.app', here(good, { trusted: true }))
  expect(host.getPlugin('test.app').state).toBe('active')
  expect(await score(host, 'app')).toBe(2)
})

test('a plugin that is being written runs anew each time it is saved, and a mistake leaves it as it was', async () => {
  await using folder = await createPluginFolder()
  const dir = await folder.write('draft', versioned(1))
  const { promise: failed, resolve } = Promise.withResolvers<HostEvent>()
  let reloaded: (() => void) | undefined
  await using host = await createHost([here(dir, { trusted: true, watch: true })], {
    onEvent: (event) => {
      if (event.type === 'warning') resolve(event)
      if (event.type === 'state' && event.state === 'active') reloaded?.()
    },
  })
  expect(await score(host, 'draft')).toBe(1)
  const saved = new Promise<void>((done) => (reloaded = done))
  await writeFile(path.join(dir, 'index.mjs'), `export default { activate(huitou) { ${versioned(2)} } }`)
  await saved
  expect(await score(host, 'draft')).toBe(2)
  await writeFile(path.join(dir, 'index.mjs'), 'export default {')
  expect(await failed).toMatchObject({ pluginId: 'test.draft', type: 'warning' })
  expect(await score(host, 'draft')).toBe(2)
  await rm(path.join(dir, 'index.mjs'))
  await expect(host.reload('test.draft')).rejects.toThrow()
  expect(await score(host, 'draft')).toBe(2)
})
