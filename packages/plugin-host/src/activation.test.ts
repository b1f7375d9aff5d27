import { expect, test } from 'vitest'
import { createPluginFolder } from '../test/fixture-plugins.ts'
import { createPluginHost } from './host.ts'
import type { PluginHostOptions } from './host-options.ts'
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
const trusted = (dir: string, more: Partial<PluginLocation> = {}): PluginLocation => ({
  dir,
  trusted: true,
  enabled: true,
  ...more,
})

/** A plugin that logs what it was told by `onActivationEvent`. */
const listening = (name: string) =>
  `export default {
    activate(huitou, { reason }) { this.huitou = huitou; huitou.log.info('${name} by ' + reason) },
    onActivationEvent(event) { this.huitou.log.info('${name} hears ' + event) },
  }`

test('events start the plugins that asked for them, and tell those that run', async () => {
  await using folder = await createPluginFolder()
  const write = (name: string, events: string[]) =>
    folder.write(name, '', { source: listening(name), activationEvents: events })
  const said: string[] = []
  let heard: (() => void) | undefined
  await using host = await createHost(
    [
      trusted(await write('orders', ['onEvent:order.*'])),
      trusted(await write('early', ['onStartupFinished'])),
      trusted(await write('always', ['*']), { bundled: true }),
      trusted(await write('idle', [])),
      trusted(await write('off', ['onEvent:*']), { enabled: false }),
    ],
    {
      effects: (_id, _method, [entry]) => {
        said.push((entry as { message: string }).message)
        heard?.()
      },
    },
  )
  const until = (message: string) =>
    new Promise<void>((resolve) => {
      heard = () => said.includes(message) && resolve()
      heard()
    })
  expect(await host.fire('onStartupFinished')).toEqual(['test.early', 'test.always'])
  expect(await host.fire('onEvent:customer.created')).toEqual([])
  expect(await host.fire('onEvent:order.paid')).toEqual(['test.orders'])
  await until('orders hears onEvent:order.paid')
  await host.fire('onEvent:order.refunded')
  await until('orders hears onEvent:order.refunded')
  expect(said.filter((line) => line.startsWith('orders'))).toEqual([
    'orders by onEvent:order.paid',
    'orders hears onEvent:order.paid',
    'orders hears onEvent:order.refunded',
  ])
  expect(host.list().map(({ state }) => state)).toEqual(['active', 'active', 'active', 'enabled', 'disabled'])
})

test('a stranger hears only of events that it may read, and one enabled later starts at once', async () => {
  await using folder = await createPluginFolder()
  const activationEvents = ['onEvent:*', 'onStartupFinished']
  const dir = await folder.write('curious', '', { source: listening('curious'), activationEvents })
  const grants = { 'events.read': ['order.*'] }
  const { promise: active, resolve } = Promise.withResolvers<void>()
  await using host = await createHost([{ dir, trusted: false, grants }], {
    onEvent: (event) => event.type === 'state' && event.state === 'active' && resolve(),
  })
  expect(await host.fire('onStartupFinished')).toEqual([])
  await host.enable('test.curious')
  await active
  expect(await host.fire('onEvent:customer.complained')).toEqual([])
  expect(await host.fire('onEvent:order.paid')).toEqual(['test.curious'])
})

test('only what comes with Huitou may ask to be started whatever happens', async () => {
  await using folder = await createPluginFolder()
  const dir = await folder.write('pushy', '', { activationEvents: ['*'] })
  await using host = await createHost([trusted(dir)])
  expect(host.getPlugin('test.pushy')).toMatchObject({
    state: 'failed',
    error: { code: 'E_ACTIVATION_EVENT' },
  })
})

test('the clock starts a plugin whose owner let it, and no other', async () => {
  await using folder = await createPluginFolder()
  const write = (name: string) =>
    folder.write(name, '', {
      source: listening(name),
      activationEvents: ['onSchedule:* * * * * *'],
      permissions: { schedule: true },
    })
  const { promise: due, resolve } = Promise.withResolvers<string>()
  const stranger = { dir: await write('stranger'), trusted: false, enabled: true, grants: {} }
  await using host = await createHost([stranger, trusted(await write('granted'))], {
    effects: (_id, _method, [entry]) => {
      const { message } = entry as { message: string }
      if (message.includes('hears')) resolve(message)
    },
  })
  expect(await due).toBe('granted hears onSchedule:* * * * * *')
  expect(host.getPlugin('test.stranger').state).toBe('enabled')
})

test('progress of a call reaches whoever made it, and nobody else', async () => {
  await using folder = await createPluginFolder()
  const dir = await folder.write(
    'long',
    scorer(
      'context.progress({ done: batch, total: 9, extra: 1 }); huitou.progress({ done: batch + 1 }); return batch',
    ),
  )
  await using host = await createHost([{ dir, trusted: false, enabled: true }])
  const heard: unknown[][] = [[], []]
  await Promise.all(
    heard.map((list, index) =>
      score(host, 'long', index * 10, { onProgress: (progress: unknown) => list.push(progress) }),
    ),
  )
  expect(heard).toEqual([
    [{ done: 0, total: 9 }, { done: 1 }],
    [{ done: 10, total: 9 }, { done: 11 }],
  ])
})

test.each([{ kind: 'worker' }, { kind: 'process' }])(
  'the running page of a plugin in a $kind: what it said, what it uses, where its time goes',
  async ({ kind }) => {
    await using folder = await createPluginFolder()
    const dir = await folder.write(
      'busy',
      `function burn(ms) { const end = performance.now() + ms; while (performance.now() < end); }
       ${scorer(`
         if (batch === 'fail') throw new Error('on purpose')
         if (batch === 'log') { console.log('printed'); huitou.log.warn('careful', { a: 1 }); return }
         burn(300); return 1`)}`,
    )
    await using host = await createHost([{ dir, trusted: kind === 'worker', enabled: true }], {
      budgets: { worker: { hangMs: 20_000 }, process: { hangMs: 20_000 } },
    })
    await score(host, 'busy', 'log')
    await score(host, 'busy', 'fail').catch(() => {})
    const [profile] = await Promise.all([host.profile('test.busy', 200), score(host, 'busy')])
    const { nodes } = JSON.parse(profile) as { nodes: { callFrame: { functionName: string } }[] }
    expect(nodes.some(({ callFrame }) => callFrame.functionName === 'burn')).toBe(true)
    await expect
      .poll(() => host.getPlugin('test.busy').running.memoryBytes, { timeout: 10_000 })
      .toBeGreaterThan(1e6)
    const { running } = host.getPlugin('test.busy')
    expect(running).toMatchObject({
      kind,
      calls: 3,
      errors: 1,
      crashes: 0,
      restarts: 0,
      reason: 'onScorer:score',
    })
    expect(running.cpuMs).toBeGreaterThan(0)
    expect(running.p95).toBeGreaterThan(0)
    expect(typeof running.pid).toBe(kind === 'process' ? 'number' : 'undefined')
    const log = host.log('test.busy').toSorted((a, b) => (a.source < b.source ? -1 : 1))
    expect(log).toMatchObject([
      { source: 'host', level: 'info', message: expect.stringContaining('1.0.0 active') as string },
      { source: 'output', level: 'info', message: 'printed' },
      { source: 'plugin', level: 'warn', message: 'careful', facts: { a: 1 } },
    ])
  },
)
