import { expect, test } from 'vitest'
import type { Contributions } from '@huitou/plugin-api'
import { writePlugin } from '../../test/write-plugin.ts'
import { openContracts } from './open-contracts.ts'

const named = (id: string) => ({ id, title: id })
const objectSchema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }

const journeyFrom = (start: string) => ({
  trigger: { type: 'event', event: 'order.paid' },
  start,
  nodes: { hello: { type: 'wait', for: { hours: 1 } } },
})

/** A contribution of each point, so that one plugin can keep or break every contract. */
const contributes: Contributions = {
  scorers: [
    {
      ...named('score'),
      inputs: [],
      outputs: [{ ...named('points'), type: 'integer', range: [0, 9] }],
      fits: true,
    },
  ],
  segmenters: [{ ...named('level'), inputs: [], labels: [named('a'), named('b')] }],
  reports: [{ ...named('sales'), blocks: [{ ...named('total'), kind: 'number' }] }],
  sources: [{ ...named('files'), fields: [], webhooks: [{ path: 'in', title: 'In' }] }],
  channels: [
    { ...named('sms'), messages: ['text'], guarantee: 'pushed', address: 'phone', content: objectSchema },
  ],
  actions: [{ ...named('greet'), input: objectSchema, output: { type: 'string' }, idempotent: true }],
  conditions: [{ ...named('lucky'), inputs: [] }],
  gates: [named('calm')],
  erasers: [named('cards')],
  commands: [{ ...named('go'), input: objectSchema }],
  collections: [{ ...named('notes'), schema: objectSchema }],
  journeys: [{ ...named('welcome'), definition: journeyFrom('hello') }],
  models: [{ ...named('small'), kinds: ['text', 'embedding', 'classification'] }],
  views: [
    {
      ...named('page'),
      kind: 'module',
      place: 'activityBar',
      entry: './index.mjs',
      calls: { greet: { input: objectSchema, output: { type: 'string' } }, count: { readOnly: true } },
    },
  ],
  extensionPoints: [
    {
      id: 'card/v1',
      title: 'Card',
      schema: { required: ['colour'] },
      methods: { show: { output: { type: 'string' } } },
    },
  ],
  extensions: [{ point: 'test.subject/card/v1', id: 'red', colour: 'red' }],
}

async function outcomes(body: string, changed: Contributions = {}) {
  await using plugin = await writePlugin({ ...contributes, ...changed }, body)
  await using contracts = await openContracts(plugin.dir)
  const failures: string[] = []
  for (const { point, id, title, run } of contracts.checks) {
    await run().catch((error: Error) => failures.push(`${point} ${id} ${title}: ${error.message}`))
  }
  return { checks: contracts.checks.map(({ point }) => point), failures }
}

const columns = (kind: string) =>
  `({ ids }) => ({ points: { kind: 'number', values: new Float64Array(${kind}) } })`

test('a plugin that keeps every contract passes every check', async () => {
  const { checks, failures } = await outcomes(`
    huitou.scorers.register('score', { fit: ({ ids }) => ({ seen: ids.length }), score: ${columns('ids.length')} })
    huitou.segmenters.register('level', { assign: ({ ids }) => new Int16Array(ids.length).fill(-1) })
    huitou.reports.register('sales', { run: () => ({ blocks: { total: { kind: 'number', type: 'integer', value: 1 } } }) })
    huitou.sources.register('files', { recognise: () => [], handleWebhook: () => ({ status: 400 }) })
    huitou.channels.register('sms', { send: ({ deliveries }) => deliveries.map(({ key }) => ({ key, outcome: 'sent' })) })
    huitou.actions.register('greet', { run: ({ name }) => 'Hello ' + name })
    huitou.conditions.register('lucky', { test: ({ ids }) => new Uint8Array(ids.length) })
    huitou.gates.register('calm', { allow: () => ({ allow: true }) })
    const cards = new Set([1])
    huitou.erasers.register('cards', { erase: ({ ids }) => ({ removed: ids.filter((id) => cards.delete(id)).length }) })
    huitou.commands.register('go', { run: () => ({ random: Math.random(), at: Date.now() }) })
    huitou.collectionHooks.register('notes', { validate: () => [], afterChange: () => {} })
    huitou.extensions.register('red', { show: () => 'red' })
    huitou.models.register('small', {
      generate: ({ schema }) => ({ text: schema ? '{"greeting":"hi"}' : 'hi', usage: { inputTokens: 3 } }),
      embed: ({ texts }) => ({ vectors: texts.map(() => new Float32Array(4)) }),
      classify: ({ texts }) => ({ labels: new Int16Array(texts.length).fill(-1) }),
    })
    huitou.views.register('page', { greet: ({ name }) => 'Hello ' + name, count: () => 3 })`)
  expect(failures).toEqual([])
  expect([...new Set(checks)].toSorted()).toEqual([
    'actions',
    'channels',
    'collections',
    'commands',
    'conditions',
    'erasers',
    'extensions',
    'gates',
    'journeys',
    'models',
    'reports',
    'scorers',
    'segmenters',
    'sources',
    'views',
  ])
})

test('each broken promise is told, with what the plugin did instead', async () => {
  const { failures } = await outcomes(
    `
    huitou.scorers.register('score', { fit: () => [NaN], score: ({ ids }) => ({ points: { kind: 'number', values: new Float64Array(ids.length).fill(10) } }) })
    huitou.segmenters.register('level', { assign: ({ ids }) => Int16Array.from(ids, () => 2) })
    huitou.reports.register('sales', { run: () => ({ blocks: { total: { kind: 'table', columns: [], rows: [] }, more: {} } }) })
    huitou.sources.register('files', { recognise: () => [{ confidence: 2, mapping: { fields: {} } }], handleWebhook: ({ body }) => JSON.parse(new TextDecoder().decode(body)) })
    huitou.channels.register('sms', { send: () => [], verifySettings: () => 'fine' })
    let runs = 0
    huitou.actions.register('greet', { run: () => ++runs })
    huitou.conditions.register('lucky', { test: () => new Uint8Array(1).fill(3) })
    huitou.gates.register('calm', { allow: () => ({ allow: false, reason: '' }) })
    huitou.erasers.register('cards', { erase: ({ identifiers }) => identifiers.length > 0 ? { removed: 1 } : undefined })
    huitou.commands.register('go', { run: ({ title }) => title.length })
    huitou.collectionHooks.register('notes', { validate: () => [{ field: 'age', message: 'x' }] })
    huitou.extensions.register('red', { show: () => 7 })
    huitou.models.register('small', {
      generate: () => ({ text: 'hi', usage: { inputTokens: -1 } }),
      classify: ({ texts }) => ({ labels: new Int16Array(texts.length).fill(2) }),
    })
    huitou.views.register('page', { greet: () => 7 })`,
    {
      extensions: [{ point: 'test.subject/card/v1', id: 'red' }],
      journeys: [{ ...named('welcome'), definition: journeyFrom('nowhere') }],
    },
  )
  const told = failures.join('\n')
  expect(told).toContain('"points" is 10 in row 0, outside 0 to 9')
  expect(told).toContain('fit() answered what JSON cannot hold')
  expect(told).toContain('assign() gave row 0 the label 2; there are 2, and -1 for none')
  expect(told).toContain('the block "total" is declared number and answered table')
  expect(told).toContain('a recognition has the confidence 2')
  expect(told).toMatch(/sources files answers nonsense sent to in .*JSON/)
  expect(told).toContain('send() answered for no message of three')
  expect(told).toContain('verifySettings() answered neither yes nor no')
  expect(told).toContain('run() answered 1: it must be string')
  expect(told).toContain('test() answered 1 rows for 25 customers')
  expect(told).toContain('allow() refused without a reason')
  expect(told).toContain('erase() found 1 things that it had erased before')
  expect(told).toContain('erase() answered undefined rather than how much went')
  expect(told).toMatch(/commands go runs .*undefined/)
  expect(told).toContain('validate() refused it: x')
  expect(told).toContain('validate() found a problem in "age", which is no field')
  expect(told).toContain("it declares {}: it must have required property 'colour'")
  expect(told).toContain('show() answered 7: it must be string')
  expect(told).toContain('generate() counted -1 inputTokens')
  expect(told).toContain('generate() was asked for JSON and answered hi')
  expect(told).toContain('it has no embed(), which its kinds declare')
  expect(told).toContain('classify() gave the label 2; there are 2, and -1 for none')
  expect(told).toContain(
    'journeys welcome gives a journey with the defaults of its parameters: start: There is no',
  )
  expect(told).toContain('greet() answered 7: it must be string')
  expect(told).toMatch(/views page answers count .*has no count\(\)/)
})

test('code that is missing where it is needed is told by name', async () => {
  const { failures } = await outcomes('')
  expect(failures.join('\n')).toContain(
    'scorers "score" of plugin "test.subject" was declared but never registered',
  )
})

test('an extension of a point that nothing here defines says where to find it', async () => {
  await using plugin = await writePlugin({ extensions: [{ point: 'acme.crm/card/v1', id: 'red' }] }, '')
  await using contracts = await openContracts(plugin.dir)
  await expect(contracts.checks[0]?.run()).rejects.toThrow(
    'name the folder of the plugin that does with --with',
  )
})
