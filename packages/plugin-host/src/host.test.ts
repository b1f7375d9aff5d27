import { expect, test } from 'vitest'
import { toNumberVector, userError } from '@huitou/plugin-api'
import type { ColumnBatch, NumberVector } from '@huitou/plugin-api'
import { createPluginFolder } from '../test/fixture-plugins.ts'
import { createPluginHost } from './host.ts'
import type { HostEvent, PluginHostOptions } from './host-options.ts'
import type { PluginHost } from './host.ts'

const brand = { currency: 'CNY', timeZone: 'Asia/Shanghai', locale: 'zh-CN' }

async function createHost(dirs: string[], options: Partial<PluginHostOptions> = {}): Promise<PluginHost> {
  const plugins = dirs.map((dir) => ({ dir, trusted: true, enabled: true }))
  return await createPluginHost({ plugins, brand, effects: () => undefined, ...options })
}

/** Body of a plugin whose scorer runs `code` with `batch` and `context`. */
const scorer = (code: string) =>
  `huitou.scorers.register('score', { async score(batch, context) { ${code} } })`
const score = (host: PluginHost, name: string, argument: unknown = null, options = {}) =>
  host.call(`test.${name}`, 'scorers', 'score', 'score', [argument], options)
const stateOf = (host: PluginHost, name: string) => host.getPlugin(`test.${name}`).state

test('a plugin declares at once and starts with its first call', async () => {
  await using folder = await createPluginFolder()
  await using host = await createHost([await folder.write('lazy', scorer('return context.now'))], {
    clock: { now: () => 42 },
  })
  expect(stateOf(host, 'lazy')).toBe('enabled')
  expect(host.contributions()).toMatchObject([
    { pluginId: 'test.lazy', columnPrefix: 'lazy', contributes: { scorers: [{ id: 'score' }] } },
  ])
  expect(await score(host, 'lazy')).toBe(42)
  expect(host.getPlugin('test.lazy')).toMatchObject({
    state: 'active',
    running: { reason: 'onScorer:score', activatedAt: 42, calls: 1, errors: 0 },
  })
})

test('calls that come together start the plugin once', async () => {
  await using folder = await createPluginFolder()
  const body = `globalThis.starts = (globalThis.starts ?? 0) + 1; ${scorer('return globalThis.starts')}`
  await using host = await createHost([await folder.write('once', body)])
  expect(await Promise.all([score(host, 'once'), score(host, 'once'), score(host, 'once')])).toEqual([
    1, 1, 1,
  ])
})

test('one plugin failing leaves the other alone, and its error keeps code and hint', async () => {
  await using folder = await createPluginFolder()
  await using host = await createHost([
    await folder.write('good', scorer('return 1')),
    await folder.write(
      'throws',
      scorer(`throw Object.assign(new Error('no'), { code: 'E_MINE', kind: 'user', hint: 'Try yes.' })`),
    ),
    await folder.write('broken', `throw new Error('cannot start')`),
  ])
  await expect(score(host, 'throws')).rejects.toMatchObject({
    code: 'E_MINE',
    hint: 'Try yes.',
    message: 'no',
  })
  await expect(score(host, 'broken')).rejects.toThrow('cannot start')
  await expect(score(host, 'broken')).rejects.toMatchObject({ code: 'E_PLUGIN_NOT_RUNNING' })
  expect(await score(host, 'good')).toBe(1)
  expect(host.list().map(({ state }) => state)).toEqual(['active', 'active', 'failed'])
  expect(host.getPlugin('test.throws').running).toMatchObject({ errors: 1, lastError: { code: 'E_MINE' } })
  expect(host.getPlugin('test.broken').error?.message).toBe('cannot start')
})

test('registering what the manifest does not declare says so', async () => {
  await using folder = await createPluginFolder()
  await using host = await createHost([await folder.write('rogue', `huitou.scorers.register('other', {})`)])
  await expect(score(host, 'rogue')).rejects.toMatchObject({
    code: 'E_UNDECLARED',
    hint: expect.stringContaining('contributes.scorers') as string,
  })
  await expect(host.call('test.rogue', 'scorers', 'other', 'score', [])).rejects.toMatchObject({
    code: 'E_NOT_FOUND',
  })
})

test('disabling takes contributions away, disposes subscriptions and aborts calls; enabling brings all back', async () => {
  await using folder = await createPluginFolder()
  const logged: unknown[] = []
  const dir = await folder.write(
    'comes',
    `context.subscriptions.push({ dispose: () => huitou.log.info('first') }, { dispose: () => huitou.log.info('second') })
    ${scorer('return batch === "wait" ? new Promise(() => {}) : 1')}`,
  )
  await using host = await createHost([dir], {
    effects: (_id, _method, [entry]) => void logged.push((entry as { message: string }).message),
  })
  const changes: string[] = []
  host.onDidChangeContributions(({ added, removed }) => {
    changes.push(
      ...added.map(({ pluginId }) => `+${pluginId}`),
      ...removed.map(({ pluginId }) => `-${pluginId}`),
    )
  })
  await score(host, 'comes')
  const waiting = score(host, 'comes', 'wait')
  const refused = expect(waiting).rejects.toMatchObject({ code: 'E_PLUGIN_NOT_RUNNING' })
  await host.disable('test.comes')
  await refused
  expect(logged).toEqual(['second', 'first'])
  expect(host.contributions()).toEqual([])
  await expect(score(host, 'comes')).rejects.toMatchObject({ code: 'E_PLUGIN_NOT_RUNNING' })
  await host.enable('test.comes')
  expect(await score(host, 'comes')).toBe(1)
  expect(changes).toEqual(['-test.comes', '+test.comes'])
})

test('enabling is taken back when the core cannot take the contributions', async () => {
  await using folder = await createPluginFolder()
  await using host = await createHost([])
  await using other = await createPluginHost({
    plugins: [{ dir: await folder.write('clash', ''), trusted: true }],
    brand,
    effects: () => undefined,
  })
  other.onDidChangeContributions(({ added }) => {
    if (added.length > 0) throw userError('E_TAKEN', 'column taken')
  })
  await expect(other.enable('test.clash')).rejects.toMatchObject({ code: 'E_TAKEN' })
  expect(stateOf(other, 'clash')).toBe('disabled')
  expect(host.list()).toEqual([])
})

test('what was not granted is refused before the server hears of it; what was granted goes through', async () => {
  await using folder = await createPluginFolder()
  const asked: unknown[] = []
  const read = scorer('return await huitou.customers.read({ columns: batch })')
  await using host = await createHost(
    [await folder.write('reader', read, { permissions: { 'profile.read': ['commerce_*'] } })],
    {
      effects(pluginId, method, args) {
        asked.push([pluginId, method, args])
        return { ids: new Float64Array([7]), columns: {} }
      },
    },
  )
  await expect(score(host, 'reader', ['t_phone'])).rejects.toMatchObject({
    code: 'E_PERMISSION',
    details: { name: 't_phone' },
  })
  expect(asked).toEqual([])
  expect(await score(host, 'reader', ['commerce_spend', 'reader_x'])).toMatchObject({
    ids: new Float64Array([7]),
  })
  expect(asked).toEqual([['test.reader', 'customers.read', [{ columns: ['commerce_spend', 'reader_x'] }]]])
})

test('typed arrays are moved both ways, not copied', async () => {
  await using folder = await createPluginFolder()
  const double = scorer(`
    const doubled = { kind: 'number', values: batch.columns.a.values.map((value) => value * 2) }
    setImmediate(() => huitou.log.info(String(doubled.values.byteLength)))
    return { doubled }`)
  const { promise: leftBehind, resolve } = Promise.withResolvers<string>()
  await using host = await createHost([await folder.write('moves', double)], {
    effects: (_id, _method, [entry]) => resolve((entry as { message: string }).message),
  })
  const column = toNumberVector([1, 2, Number.NaN])
  const batch: ColumnBatch = { ids: new Float64Array([1, 2, 3]), columns: { a: column } }
  const answer = (await score(host, 'moves', batch)) as { doubled: NumberVector }
  expect([...answer.doubled.values]).toEqual([2, 4, Number.NaN])
  expect([batch.ids.byteLength, column.values.byteLength]).toEqual([0, 0])
  expect(await leftBehind).toBe('0')
})

test('a call that takes too long fails, and the plugin is told to stop', async () => {
  await using folder = await createPluginFolder()
  const { promise: told, resolve } = Promise.withResolvers<string>()
  const slow = scorer(
    `await new Promise((resolve) => context.signal.addEventListener('abort', resolve)); huitou.log.info('stopped')`,
  )
  await using host = await createHost([await folder.write('slow', slow)], {
    effects: (_id, _method, [entry]) => resolve((entry as { message: string }).message),
  })
  await expect(score(host, 'slow', null, { deadlineMs: 20 })).rejects.toMatchObject({ code: 'E_DEADLINE' })
  expect(await told).toBe('stopped')
  expect(stateOf(host, 'slow')).toBe('active')
})

test('aborting a call rejects it with the reason', async () => {
  await using folder = await createPluginFolder()
  await using host = await createHost([await folder.write('patient', scorer('await new Promise(() => {})'))])
  const abort = new AbortController()
  const call = score(host, 'patient', null, { signal: abort.signal })
  abort.abort(new Error('changed my mind'))
  await expect(call).rejects.toThrow('changed my mind')
})

test('a plugin that keeps its thread is ended, and others run on', async () => {
  await using folder = await createPluginFolder()
  const { promise: crash, resolve } = Promise.withResolvers<HostEvent>()
  await using host = await createHost(
    [await folder.write('busy', scorer('for (;;) {}')), await folder.write('calm', scorer('return 1'))],
    { budgets: { worker: { hangMs: 50 } }, onEvent: (event) => event.type === 'crash' && resolve(event) },
  )
  await score(host, 'calm')
  await expect(score(host, 'busy', null, { deadlineMs: 200 })).rejects.toMatchObject({ code: 'E_DEADLINE' })
  expect(await crash).toMatchObject({ pluginId: 'test.busy', quarantined: false })
  expect(await score(host, 'calm')).toBe(1)
  expect(host.getPlugin('test.calm').running).toMatchObject({ crashes: 0, errors: 0 })
})

test('three crashes in five minutes put a plugin in quarantine until it is enabled again', async () => {
  await using folder = await createPluginFolder()
  let now = 0
  const crashes: HostEvent[] = []
  await using host = await createHost(
    [
      await folder.write('dies', scorer('if (batch) process.exit(9); return 1')),
      await folder.write('lives', scorer('return 2')),
    ],
    { clock: { now: () => now }, onEvent: (event) => void (event.type === 'crash' && crashes.push(event)) },
  )
  await score(host, 'lives')
  for (const at of [0, 10_000, 20_000]) {
    now = at
    await expect(score(host, 'dies', true)).rejects.toMatchObject({ code: 'E_PLUGIN_CRASHED' })
    if (at < 20_000) await expect(score(host, 'dies')).rejects.toMatchObject({ code: 'E_PLUGIN_PAUSED' })
    expect(await score(host, 'lives')).toBe(2)
  }
  expect(stateOf(host, 'dies')).toBe('quarantined')
  now = 1e9
  await expect(score(host, 'dies')).rejects.toMatchObject({ code: 'E_PLUGIN_NOT_RUNNING' })
  expect(host.contributions()).toHaveLength(2)
  expect(crashes.map((event) => event.type === 'crash' && event.quarantined)).toEqual([false, false, true])
  await host.enable('test.dies')
  expect(await score(host, 'dies')).toBe(1)
})

test('crashes more than five minutes apart are forgiven', async () => {
  await using folder = await createPluginFolder()
  let now = 0
  await using host = await createHost([await folder.write('seldom', scorer('process.exit(9)'))], {
    clock: { now: () => now },
  })
  for (const at of [0, 200_000, 400_000, 600_000]) {
    now = at
    await expect(score(host, 'seldom')).rejects.toMatchObject({ code: 'E_PLUGIN_CRASHED' })
  }
  expect(stateOf(host, 'seldom')).toBe('enabled')
})

test('an error nobody catches ends the plugin it came from and nobody else', async () => {
  await using folder = await createPluginFolder()
  const { promise: crash, resolve } = Promise.withResolvers<HostEvent>()
  await using host = await createHost(
    [
      await folder.write('stray', scorer(`setTimeout(() => { throw new Error('stray') }, 1); return 1`)),
      await folder.write(
        'waits',
        scorer('await new Promise((go) => context.signal.addEventListener("abort", go)); return 1'),
      ),
    ],
    { onEvent: (event) => event.type === 'crash' && resolve(event) },
  )
  const abort = new AbortController()
  const waiting = expect(score(host, 'waits', null, { signal: abort.signal })).rejects.toThrow('enough')
  await score(host, 'stray')
  expect(await crash).toMatchObject({ pluginId: 'test.stray', error: { message: 'The plugin ended: stray' } })
  abort.abort(new Error('enough'))
  await waiting
  expect(stateOf(host, 'waits')).toBe('active')
})

test('settings reach the plugin with defaults, and changes while it runs', async () => {
  await using folder = await createPluginFolder()
  const body = `let seen = [huitou.settings.days]
    huitou.onDidChangeSettings(({ days }) => seen.push(days))
    ${scorer('return [...seen, huitou.settings.days]')}`
  const dir = await folder.write('set', body, {
    contributes: {
      scorers: [{ id: 'score', title: 'S', inputs: [], outputs: [{ id: 'x', title: 'X', type: 'number' }] }],
      configuration: { properties: { days: { type: 'integer', default: 30 } } },
    },
  })
  await using host = await createHost([dir])
  expect(await score(host, 'set')).toEqual([30, 30])
  await host.setSettings('test.set', { days: 7 })
  expect(await score(host, 'set')).toEqual([30, 7, 7])
  await expect(host.setSettings('test.set', { days: 'few' })).rejects.toMatchObject({ code: 'E_SETTINGS' })
  expect(host.getPlugin('test.set').settings).toEqual({ days: 7 })
})

test('a plugin that wrong settings kept from starting is enabled by right ones', async () => {
  await using folder = await createPluginFolder()
  const events: string[] = []
  const dir = await folder.write('strict', scorer('return huitou.settings.days'), {
    contributes: {
      scorers: [{ id: 'score', title: 'S', inputs: [], outputs: [{ id: 'x', title: 'X', type: 'number' }] }],
      configuration: { properties: { days: { type: 'integer' } } },
    },
  })
  await using host = await createPluginHost({
    plugins: [{ dir, trusted: true, enabled: true, settings: { days: 'few' } }],
    brand,
    effects: () => undefined,
    onEvent: ({ type }) => void events.push(type),
  })
  expect(host.getPlugin('test.strict')).toMatchObject({ state: 'failed', error: { code: 'E_SETTINGS' } })
  expect(host.contributions()).toEqual([])
  await host.setSettings('test.strict', { days: 3 })
  expect(host.contributions()).toHaveLength(1)
  expect(await score(host, 'strict')).toBe(3)
  expect(events).toContain('settings')
})

test('the brand reaches plugins and follows changes', async () => {
  await using folder = await createPluginFolder()
  await using host = await createHost([await folder.write('branded', scorer('return huitou.brand.currency'))])
  expect(await score(host, 'branded')).toBe('CNY')
  host.setBrand({ ...brand, currency: 'EUR' })
  expect(await score(host, 'branded')).toBe('EUR')
})

test('a plugin needs its dependencies, which start first and cannot be disabled under it', async () => {
  await using folder = await createPluginFolder()
  const needing = await folder.write('needing', scorer('return 1'), {
    pluginDependencies: ['test.base'],
  })
  const lonely = await folder.write('lonely', '', { pluginDependencies: ['test.absent'] })
  const base = await folder.write('base', '')
  await using host = await createHost([needing, lonely, base])
  expect(stateOf(host, 'lonely')).toBe('failed')
  expect(host.getPlugin('test.lonely').error).toMatchObject({
    code: 'E_DEPENDENCY',
    message: expect.stringContaining('not installed') as string,
  })
  expect(host.contributions().map(({ pluginId }) => pluginId)).toEqual(['test.needing', 'test.base'])
  expect(await score(host, 'needing')).toBe(1)
  expect(host.getPlugin('test.base')).toMatchObject({
    state: 'active',
    running: { reason: 'onDependency:test.needing' },
  })
  await expect(host.disable('test.base')).rejects.toMatchObject({ code: 'E_DEPENDENTS' })
})

test('a plugin for another API is listed with the reason and cannot be enabled', async () => {
  await using folder = await createPluginFolder()
  await using host = await createHost([await folder.write('future', '', { engines: { huitou: '^9.0.0' } })])
  expect(host.getPlugin('test.future')).toMatchObject({
    state: 'failed',
    error: { code: 'E_ENGINE_RANGE', hint: 'Update Huitou.' },
  })
  expect(host.contributions()).toEqual([])
})

test('a folder that holds no plugin is reported and the others go on', async () => {
  await using folder = await createPluginFolder()
  await using host = await createHost(['/nowhere', await folder.write('fine', scorer('return 1'))])
  expect(host.rejected).toMatchObject([{ dir: '/nowhere', error: { code: 'E_MANIFEST' } }])
  expect(await score(host, 'fine')).toBe(1)
})

test('budgets that change hold at once for what runs, and restart nothing', async () => {
  await using folder = await createPluginFolder()
  const waits = scorer('return batch === "wait" ? new Promise(() => {}) : process.pid ?? 1')
  await using host = await createPluginHost({
    plugins: [
      { dir: await folder.write('slow', waits), trusted: false, enabled: true },
      { dir: await folder.write('other', waits), trusted: true, enabled: true },
    ],
    brand,
    effects: () => undefined,
  })
  await score(host, 'slow')
  const { pid } = host.getPlugin('test.slow').running
  host.setBudgets({ process: { memoryMb: 300 }, plugins: { 'test.slow': { longestCallMs: 50 } } })
  expect(host.getBudget('test.slow')).toMatchObject({ memoryMb: 300, longestCallMs: 50, idleCpuShare: 0.25 })
  expect(host.getBudget('test.other')).toMatchObject({ memoryMb: 2_048, longestCallMs: Infinity })
  await expect(score(host, 'slow', 'wait', { deadlineMs: 60_000 })).rejects.toMatchObject({
    code: 'E_DEADLINE',
  })
  expect(host.getPlugin('test.slow').running).toMatchObject({ pid, restarts: 0 })

  host.setBudgets({ plugins: { 'test.slow': { memoryMb: 1 } } })
  await expect
    .poll(() => host.getPlugin('test.slow').running.lastError?.message, { timeout: 10_000 })
    .toMatch(/1 are allowed/)
  expect(await score(host, 'other')).toBeDefined()
})
