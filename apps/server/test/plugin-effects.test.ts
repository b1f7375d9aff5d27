import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { type Call, post, upload } from './plugin-calls.ts'
import { startTestServer, type TestServer } from './test-server.ts'

const point = {
  id: 'greeter/v1',
  title: 'Greeter',
  schema: { type: 'object', required: ['word'], properties: { word: { type: 'string' } } },
  methods: { greet: { input: { type: 'string' }, output: { type: 'string' } } },
}
const contributes = {
  commands: [{ id: 'run', title: 'Run' }],
  collections: [
    {
      id: 'cards',
      title: 'Cards',
      schema: {
        type: 'object',
        required: ['points'],
        properties: { points: { type: 'integer', title: 'Points' } },
      },
    },
  ],
  extensionPoints: [point],
}

/** A plugin that does what it is told by name, as code of a stranger would. */
const probe = `
const steps = {
  async query({ db }) {
    const rows = await db.selectFrom('profiles').select(['key', 't_city']).orderBy('key').execute()
    const best = await db.selectFrom('timeline as t').innerJoin('profiles as p', 'p.customer_id', 't.customer_id')
      .select((eb) => ['p.key', eb.fn.sum('t.value').as('sum')]).where('t.name', '=', 'visit').groupBy('p.key').orderBy('p.key').execute()
    return { rows, best }
  },
  phones: ({ db }) => db.selectFrom('profiles').select('key').where('t_phone', 'is not', null).execute(),
  deletes: ({ db }) => db.deleteFrom('profiles').execute(),
  transaction: ({ db }) => db.transaction().execute(async () => {}),
  async storage({ storage }) {
    await storage.set('a/1', { n: 1 })
    await storage.set('a/2', [2])
    await storage.set('b', 'three')
    await storage.delete('b')
    return [await storage.list('a/'), await storage.get('a/1'), (await storage.get('b')) ?? null]
  },
  large: ({ storage }) => storage.set('big', 'x'.repeat(70_000)),
  async secrets({ secrets }) {
    await secrets.set('token', 's3cret-canary')
    return await secrets.get('token')
  },
  async tags({ customers }) {
    const found = await customers.find({ key: 'a' })
    await customers.tag([found.id], '高价值')
    await customers.tag([found.id], 'vip')
    await customers.untag([found.id], 'vip')
    return found.key
  },
  byPhone: ({ customers }) => customers.find({ identifier: { kind: 'phone', value: '13800138000' } }),
  append: ({ events }) => events.append([{ messageId: 'm1', type: 'track', event: 'card.used', userId: 'a', timestamp: 1_770_000_000_000, properties: { n: 1 } }]),
  appendOther: ({ events }) => events.append([{ messageId: 'm2', type: 'track', event: 'order.paid', userId: 'a', timestamp: 1 }]),
  async events({ events }) {
    const { events: found } = await events.query({ events: ['visit'], limit: 10 })
    return found.map(({ name, properties }) => [name, properties])
  },
  personal: ({ events }) => events.query({ events: ['visit'], where: { phone: '13800138000' } }),
  async records({ collections, db }) {
    const card = await collections.cards.insert({ points: 5 })
    await collections.cards.update(card.id, { points: 7 }, { version: card.version })
    const rows = await db.selectFrom('collections.cards').select(['points', 'version']).execute()
    return [await collections.cards.count(), (await collections.cards.get(card.id)).data, rows]
  },
  foreign: ({ collections }) => collections['other.plugin/cards'].find(),
  async fetch({ fetch }, url) {
    const answer = await fetch(url + '/hello')
    return [answer.status, await answer.text(), answer.headers.get('x-answer')]
  },
  elsewhere: ({ fetch }) => fetch('http://169.254.169.254/latest/meta-data'),
  async extension(huitou) {
    const greeters = huitou.extensionPoint('greeter/v1')
    const list = await greeters.list()
    return [list, await greeters.call('acme.polite/hello', 'greet', 'Li')]
  },
  wrongInput: (huitou) => huitou.extensionPoint('greeter/v1').call('acme.polite/hello', 'greet', 5),
  wrongAnswer: (huitou) => huitou.extensionPoint('greeter/v1').call('acme.polite/rude', 'greet', 'Li'),
  execute: ({ commands }) => commands.execute('acme.polite/nod', { to: 'me' }),
  executeWrong: ({ commands }) => commands.execute('acme.polite/nod', { to: 5 }),
  executeClosed: ({ commands }) => commands.execute('acme.polite/erase'),
  text: ({ i18n }) => [i18n.t('hello', { name: 'Li' }, 'zh-CN'), i18n.t('hello', { name: 'Li' }, 'en'), i18n.t('nothing')],
}
export default {
  activate(huitou) {
    huitou.commands.register('run', {
      async run({ name, argument }) {
        try {
          return { answer: await steps[name](huitou, argument) }
        } catch (error) {
          return { code: error.code, name: error.details?.name, message: error.message }
        }
      },
    })
  },
}`

const polite = `
export default {
  activate(huitou) {
    huitou.extensions.register('hello', { greet: (name) => 'hello ' + name })
    huitou.extensions.register('rude', { greet: () => 5 })
    huitou.commands.register('nod', { run: ({ to }) => 'nods to ' + to })
    huitou.commands.register('erase', { run: () => 'erased' })
  },
}`

async function enable(owner: Call, plugin: Parameters<typeof upload>[1], id: string) {
  expect((await upload(owner, plugin)).status).toBe(201)
  const enabled = await post(owner, `/${id}/enable`, { grants: 'all', allowUnsigned: true })
  expect(enabled.status, JSON.stringify(enabled.body)).toBe(200)
}

async function openShop(server: TestServer, network: string): Promise<Call> {
  const owner = await server.as()
  const { events } = server.huitou.core
  const body = (value: object) => JSON.stringify(value)
  const base = { source: 't', ts: 1_770_000_000_000, version: 1 }
  await events.append([
    {
      ...base,
      message_id: 'i1',
      type: 'identify',
      name: null,
      body: body({ userId: 'a', traits: { phone: '13800138000', city: '上海' } }),
    },
    {
      ...base,
      message_id: 'v1',
      type: 'track',
      name: 'visit',
      body: body({ userId: 'a', properties: { phone: '13800138000', page: '/' } }),
    },
    { ...base, message_id: 'v2', type: 'track', name: 'visit', body: body({ userId: 'b' }) },
  ])
  await server.settle()
  await enable(
    owner,
    {
      name: '@acme/probe',
      code: probe,
      contributes,
      permissions: {
        'profile.read': ['key', 't_city'],
        'events.read': ['visit'],
        'events.append': ['card.*'],
        'customers.tag': true,
        secrets: true,
        network: [network],
      },
      files: {
        'package.nls.json': '{"hello":"Hello {name}"}',
        'package.nls.zh-CN.json': '{"hello":"{name}，你好"}',
      },
    },
    'acme.probe',
  )
  await enable(
    owner,
    {
      name: '@acme/polite',
      code: polite,
      permissions: {},
      contributes: {
        commands: [
          {
            id: 'nod',
            title: 'Nod',
            callable: true,
            input: { type: 'object', properties: { to: { type: 'string' } } },
          },
          { id: 'erase', title: 'Erase' },
        ],
        extensions: [
          { point: 'acme.probe/greeter/v1', id: 'hello', word: 'hello' },
          { point: 'acme.probe/greeter/v1', id: 'rude', word: 'hm' },
          { point: 'acme.probe/greeter/v1', id: 'broken', word: 5 },
        ],
      },
      manifest: { pluginDependencies: ['acme.probe'] },
    },
    'acme.polite',
  )
  return owner
}

describe.each(engines)('a plugin of a stranger on %s', (engine) => {
  test('does what it was granted and nothing else', { timeout: 60_000 }, async () => {
    const outside = createServer((_, response) => response.setHeader('x-answer', 'yes').end('world'))
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(outside.address() as AddressInfo).port}`
    await using server = await startTestServer(engine)
    const owner = await openShop(server, host)
    const run = async (name: string, argument?: unknown) => {
      const answer = await owner('/api/commands/acme.probe/run', {
        method: 'POST',
        body: JSON.stringify({ input: { name, ...(argument === undefined ? {} : { argument }) } }),
      })
      const { result } = (await answer.json()) as { result: Record<string, unknown> }
      return result['code'] === undefined && 'answer' in result ? result['answer'] : result
    }
    const permission = (code: string, name: string) => expect.objectContaining({ code, name })

    expect(await run('query')).toEqual({
      rows: [
        { key: 'a', t_city: '上海' },
        { key: 'b', t_city: null },
      ],
      best: [
        { key: 'a', sum: null },
        { key: 'b', sum: null },
      ],
    })
    expect(await run('phones')).toEqual(permission('E_PERMISSION', 'phone'))
    expect(await run('deletes')).toMatchObject({ code: 'E_QUERY' })
    expect(await run('transaction')).toMatchObject({
      message: 'Plugins can only select; there are no transactions',
    })
    expect(await run('storage')).toEqual([['a/1', 'a/2'], { n: 1 }, null])
    expect(await run('large')).toMatchObject({ code: 'E_STORAGE_VALUE' })
    expect(await run('secrets')).toBe('s3cret-canary')
    const { db } = server.huitou.core.database
    expect(JSON.stringify(await db.selectFrom('plugin_secrets').selectAll().execute())).not.toContain(
      'canary',
    )
    expect(await run('byPhone')).toEqual(permission('E_PERMISSION', 'phone'))
    expect(await run('append')).toEqual({ accepted: 1, duplicates: 0 })
    expect(await run('append')).toEqual({ accepted: 0, duplicates: 1 })
    expect(await run('appendOther')).toEqual(permission('E_PERMISSION', 'order.paid'))
    expect(await run('events')).toEqual(
      expect.arrayContaining([
        ['visit', { page: '/' }],
        ['visit', {}],
      ]),
    )
    expect(await run('personal')).toEqual(permission('E_PERMISSION', 'phone'))
    expect(await run('records')).toEqual([1, { points: 7 }, [{ points: 7, version: 2 }]])
    expect(await run('foreign')).toEqual(permission('E_PERMISSION', 'other.plugin/cards'))
    expect(await run('fetch', `http://${host}`)).toEqual([200, 'world', 'yes'])
    expect(await run('elsewhere')).toMatchObject({ code: 'E_PERMISSION' })
    expect(await run('extension')).toEqual([
      [
        { id: 'acme.polite/hello', plugin: 'acme.polite', data: { word: 'hello' } },
        { id: 'acme.polite/rude', plugin: 'acme.polite', data: { word: 'hm' } },
      ],
      'hello Li',
    ])
    expect(await run('wrongInput')).toMatchObject({ code: 'E_EXTENSION_INPUT' })
    expect(await run('wrongAnswer')).toMatchObject({ code: 'E_EXTENSION_ANSWER' })
    expect(await run('execute')).toBe('nods to me')
    expect(await run('executeWrong')).toMatchObject({ code: 'E_COMMAND_INPUT' })
    expect(await run('executeClosed')).toMatchObject({ code: 'E_COMMAND_CLOSED' })
    expect(await run('text')).toEqual(['Li，你好', 'Hello Li', 'nothing'])

    expect(await run('tags')).toBe('a')
    await server.settle()
    const columns = await owner('/api/columns').then(
      async (answer) => (await answer.json()) as { columns: { name: string; title: { en: string } }[] },
    )
    const tag = columns.columns.find(({ title }) => title.en === 'Tag: 高价值')
    const found = await owner('/api/customers/search', {
      method: 'POST',
      body: JSON.stringify({
        rule: { all: [{ column: tag?.name, op: 'is_set' }] },
        columns: ['key'],
        limit: 5,
      }),
    }).then(async (answer) => (await answer.json()) as { rows: { columns: object }[] })
    expect(found.rows.map((row) => row.columns)).toEqual([{ key: 'a' }])

    const uses = await db
      .selectFrom('audit_log')
      .select(['user_id', 'details'])
      .where('action', '=', 'plugin.permission')
      .where('subject', '=', 'acme.probe')
      .execute()
    expect(
      uses.map(({ details }) => (JSON.parse(details) as { permission: string }).permission).sort(),
    ).toEqual(['customers.tag', 'events.append', 'events.read', 'network', 'profile.read', 'secrets'])
    outside.close()
  })
})
