import { engines, type TestCore } from '@huitou/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import { rewindProfiles } from '../profiles/stage.ts'
import { openShop } from '../../test/query-fixture.ts'
import type { PluginCaller } from './plugin-access.ts'

const caller = (permissions: PluginCaller['permissions'] = {}): PluginCaller => ({
  id: 'test.p',
  columnPrefix: 'p',
  version: '1.0.0',
  permissions,
})
const box = {
  seal: (text: string) => `sealed:${Buffer.from(text).toString('hex')}`,
  open: (sealed: string) => Buffer.from(sealed.slice(7), 'hex').toString(),
}

describe.each(engines)('on %s', (engine) => {
  let core: TestCore
  beforeAll(async () => {
    core = await openShop(engine)
  })
  afterAll(async () => {
    core.access.close()
    await core[Symbol.asyncDispose]()
  })

  const tagged = async (column: string) =>
    (
      await core.database.db
        .selectFrom('profiles')
        .select(['key'])
        .where(column as 'key', '=', 'true')
        .orderBy('key')
        .execute()
    ).map(({ key }) => key)
  const idOf = async (key: string) =>
    (await core.access.findCustomer(caller({ 'profile.pii': ['*'] }), { key }))?.id ?? 0

  test('storage keeps JSON per plugin, within its limits', async () => {
    const own = core.access.storage('test.p')
    const other = core.access.storage('test.other')
    await own.set('a', { list: [1, null, '文'] })
    await other.set('a', 2)
    expect([await own.get('a'), await other.get('a'), await own.get('b')]).toEqual([
      { list: [1, null, '文'] },
      2,
      undefined,
    ])
    await own.set('a/b', 1)
    await own.set('B', 1)
    expect([await own.list(''), await own.list('a/'), await own.list('%')]).toEqual([
      ['B', 'a', 'a/b'],
      ['a/b'],
      [],
    ])
    await expect(own.set('', 1)).rejects.toMatchObject({ code: 'E_STORAGE_KEY' })
    await expect(own.set('x'.repeat(201), 1)).rejects.toMatchObject({ code: 'E_STORAGE_KEY' })
    await expect(own.set('a', 'x'.repeat(65_536))).rejects.toMatchObject({ code: 'E_STORAGE_VALUE' })
    await expect(own.set('a', 'a\0b')).rejects.toMatchObject({ code: 'E_STORAGE_VALUE' })
    await expect(own.set('a', undefined)).rejects.toMatchObject({ code: 'E_STORAGE_VALUE' })
    for (let key = 0; key < 161; key++) await own.set(`big/${key}`, 'x'.repeat(65_000))
    await expect(own.set('big/162', 'x'.repeat(65_000))).rejects.toMatchObject({ code: 'E_STORAGE_FULL' })
    await own.set('big/1', 'small')
    expect(await other.get('a')).toBe(2)
  })

  test('secrets lie sealed in the database', async () => {
    const secrets = core.access.secrets('test.p', box)
    await secrets.set('token', 'canary')
    expect(await secrets.get('token')).toBe('canary')
    const rows = await core.database.db.selectFrom('plugin_secrets').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain('canary')
    expect(await core.access.secrets('test.other', box).get('token')).toBeUndefined()
    await secrets.delete('token')
    expect(await secrets.get('token')).toBeUndefined()
  })

  test('a customer is found by what the plugin may know', async () => {
    const all = caller({ 'profile.pii': ['phone'] })
    const a = await core.access.findCustomer(all, { identifier: { kind: 'phone', value: '138 0013 8001' } })
    expect(a?.key).toBe('a')
    expect(await core.access.findCustomer(caller(), { id: a!.id })).toEqual(a)
    expect(await core.access.findCustomer(caller(), { key: 'a' })).toEqual(a)
    expect(await core.access.findCustomer(caller(), { id: 999_999 })).toBeUndefined()
    const known = await core.access.findCustomer(all, { key: '+8613900139000' })
    expect(known?.key).toBe('+8613900139000')
    const masked = await core.access.findCustomer(caller(), { id: known!.id })
    expect(masked).toEqual({ id: known!.id, key: `#${known!.id}` })
    expect(await core.access.findCustomer(caller(), { key: masked!.key })).toEqual(masked)
    for (const key of [{ key: '+8613900139000' }, { identifier: { kind: 'phone', value: '13800138001' } }]) {
      await expect(core.access.findCustomer(caller(), key)).rejects.toMatchObject({
        code: 'E_PERMISSION',
        details: { permission: 'profile.pii', name: 'phone' },
      })
    }
    await expect(
      core.access.findCustomer(caller(), { identifier: { kind: 'user_id', value: 'a' } }),
    ).rejects.toMatchObject({ code: 'E_PERMISSION', details: { name: 'user_id' } })
  })

  test('a tag is a column that outlives replay and merges, until it is taken off', async () => {
    const [a, b] = [await idOf('a'), await idOf('b')]
    await core.access.tag(caller(), { customerIds: [a, b, a], tag: 'vip', on: true })
    await core.access.tag(caller(), { customerIds: [a], tag: '高 价值', on: true })
    await core.settle()
    expect(await tagged('t_tag_vip')).toEqual(['a', 'b'])
    core.clock.advance(1_000)
    await core.access.tag(caller(), { customerIds: [b], tag: 'vip', on: false })
    await core.send({
      type: 'identify',
      userId: 'a',
      messageId: 'merge',
      context: { externalIds: [{ type: 'phone', id: '13900139000' }] },
    })
    await core.settle()
    expect(await tagged('t_tag_vip')).toEqual(['a'])
    await transact(core.database.db, rewindProfiles)
    await core.settle()
    expect(await tagged('t_tag_vip')).toEqual(['a'])
    const columns = await core.database.db
      .selectFrom('profile_columns')
      .select(['title', 'pii'])
      .where('logical', 'like', 'tag_%')
      .orderBy('logical')
      .execute()
    expect(
      columns.map(({ title, pii }) => [(JSON.parse(title) as { 'zh-CN': string })['zh-CN'], pii]),
    ).toEqual(
      expect.arrayContaining([
        ['标签：vip', 0],
        ['标签：高 价值', 0],
      ]),
    )
    await expect(
      core.access.tag(caller(), { customerIds: [999_999], tag: 'vip', on: true }),
    ).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
    await expect(core.access.tag(caller(), { customerIds: [a], tag: ' ', on: true })).rejects.toMatchObject({
      code: 'E_TAG',
    })
  })

  test('events are appended under the plugin’s name; an alias does not get around a grant', async () => {
    core.points.eventTypes.add(
      { plugin: 'test.alias', prefix: 'alias', text: (text) => text as { en: string; 'zh-CN': string } },
      'refund.made',
      { name: 'refund.made', title: 'Refund', aliases: ['card.refund'] },
    )
    const event = (name: string, messageId: string) => ({
      messageId,
      type: 'track' as const,
      event: name,
      userId: 'a',
      timestamp: core.clock.now(),
    })
    const plugin = caller({ 'events.append': ['card.*'] })
    expect(
      await core.access.appendEvents(plugin, [event('card.used', 'c1'), event('card.used', 'c1')]),
    ).toEqual({
      accepted: 1,
      duplicates: 1,
    })
    const stored = await core.database.db
      .selectFrom('events')
      .select(['source', 'name'])
      .where('message_id', '=', 'c1')
      .execute()
    expect(stored).toEqual([{ source: 'plugin:test.p', name: 'card.used' }])
    await expect(
      core.access.appendEvents(plugin, [event('card.used', 'c2'), event('card.refund', 'c3')]),
    ).rejects.toMatchObject({ code: 'E_PERMISSION', details: { name: 'refund.made' } })
    await expect(
      core.access.appendEvents(plugin, [
        event('card.used', 'c2'),
        { ...event('card.used', 'c4'), userId: '' },
      ]),
    ).rejects.toMatchObject({ code: 'E_EVENT_NO_ID' })
    const large = { ...event('card.used', 'c5'), properties: { text: 'x'.repeat(40_000) } }
    await expect(core.access.appendEvents(plugin, [large])).rejects.toMatchObject({
      code: 'E_EVENT_TOO_LARGE',
    })
    const none = await core.database.db
      .selectFrom('events')
      .select('seq')
      .where('message_id', '=', 'c2')
      .execute()
    expect(none).toEqual([])
  })

  test('single events come in pages, without personal data', async () => {
    const plugin = caller({ 'events.read': ['order.*', 'chat.sent'] })
    const first = await core.access.queryEvents(plugin, { events: ['order.paid', 'chat.sent'], limit: 5 })
    const rest = await core.access.queryEvents(plugin, {
      events: ['order.paid', 'chat.sent'],
      limit: 5,
      cursor: first.cursor!,
    })
    const all = [...first.events, ...rest.events]
    expect(all).toHaveLength(9)
    expect(new Set(all.map(({ seq }) => seq)).size).toBe(9)
    expect(rest.cursor).toBeUndefined()
    expect(JSON.stringify(all)).not.toMatch(/13[89]00/)
    const some = await core.access.queryEvents(plugin, {
      events: ['order.paid'],
      where: { 'buyer.vip': true, sku: 'sku-b' },
    })
    expect(some.events.map(({ properties }) => properties['sku'])).toEqual(['sku-b'])
    for (const property of ['phone', 'buyer.phone', 'buyer', 'buyer.phone.x']) {
      await expect(
        core.access.queryEvents(plugin, { events: ['order.paid'], where: { [property]: '1' } }),
      ).rejects.toMatchObject({ code: 'E_PERMISSION', details: { permission: 'profile.pii', name: 'phone' } })
    }
    const seen = await core.access.queryEvents(caller({ 'profile.pii': ['phone'] }), {
      events: ['order.paid'],
      where: { 'buyer.phone': '13800138002' },
    })
    expect(seen.events.map(({ properties }) => properties['phone'])).toEqual(['13800138002'])
  })

  test('phones are out of reach of columns and aggregates, and the keys that are phones are masked', async () => {
    const plugin = caller({ 'profile.read': ['*'] })
    for (const attempt of [
      () => core.access.readCustomers(plugin, { columns: ['t_phone'] }),
      () =>
        core.access.aggregateCustomers(plugin, { groupBy: ['t_phone'], measures: { n: { count: true } } }),
      () => core.access.aggregateCustomers(plugin, { measures: { n: { count: true } }, having: ['t_phone'] }),
      () => core.access.aggregateCustomers(plugin, { measures: { n: { max: 't_phone' } } }),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'E_PERMISSION', details: { name: 'phone' } })
    }
    const groups = await core.access.aggregateCustomers(plugin, {
      groupBy: ['key'],
      measures: { n: { count: true } },
    })
    const columns = await core.access.readCustomers(plugin, { columns: ['key'] })
    const events = await core.access.eventsPerCustomer(plugin, { events: ['order.paid'] })
    expect(JSON.stringify([groups, columns.columns, events.columns])).not.toMatch(/13[89]00/)
  })

  test('the first use of a permission by each version is in the audit log, once', async () => {
    const noted = async () =>
      (
        await core.database.db
          .selectFrom('audit_log')
          .select(['user_id', 'subject', 'details'])
          .where('action', '=', 'plugin.permission')
          .execute()
      ).map(({ details }) => JSON.parse(details) as object)
    for (let turn = 0; turn < 3; turn++) core.access.noteUse(caller(), 'network')
    core.access.noteUse({ ...caller(), version: '2.0.0' }, 'network')
    await expect.poll(noted).toEqual(
      expect.arrayContaining([
        { permission: 'network', version: '1.0.0' },
        { permission: 'network', version: '2.0.0' },
      ]),
    )
    expect(await noted()).toHaveLength(2)
  })
})
