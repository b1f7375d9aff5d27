import { createTestCore } from '@huitou/testing'
import { strFromU8, unzipSync } from 'fflate'
import { expect, test } from 'vitest'
import { signedIn } from '../../test/signed-in.ts'
import { complaintId, complaints, declare } from '../collections/collections-fixture.ts'
import { recordExportRoutes } from '../collections/file-routes.ts'
import { createSegment } from '../segments/queries.ts'
import { segmentRoutes } from '../segments/routes.ts'
import { customerRightsRoutes, privacyRoutes } from './routes.ts'

async function openShop() {
  const core = await createTestCore({ now: '2026-11-21T10:00:00+08:00' })
  const undo = await declare(core, [complaints])
  await core.send(
    { type: 'identify', userId: 'u1', traits: { name: '张三', phone: '13800001111', email: 'z@example.cn' } },
    { type: 'track', event: 'order.paid', userId: 'u1', properties: { order_id: 'A1', total: 99 } },
    { type: 'identify', userId: 'u2', traits: { name: '李四', phone: '13800002222' } },
  )
  const segment = await createSegment(core, { name: 'VIP', rule: { all: [] } as never })
  await core.settle()
  const ask = signedIn(core, (app) =>
    app
      .route('/customers', customerRightsRoutes(core))
      .route('/privacy', privacyRoutes(core))
      .route('/segments', segmentRoutes(core))
      .route('/collections', recordExportRoutes(core)),
  )
  const id = await core.database.db
    .selectFrom('profiles')
    .select('customer_id')
    .where('key', '=', 'u1')
    .executeTakeFirstOrThrow()
  return {
    core,
    ask,
    segment,
    id: id.customer_id,
    json: async (answer: Response | Promise<Response>) =>
      (await (await answer).json()) as Record<string, any>,
    async [Symbol.asyncDispose]() {
      undo()
      await core[Symbol.asyncDispose]()
    },
  }
}

test('no list of customers leaves without a reason, and whoever answers for it sees who took what', async () => {
  await using shop = await openShop()
  const { ask, json, segment } = shop
  const bare = await ask('GET', `/segments/${segment.id}/export?format=csv`)
  expect([bare.status, (await json(bare))['code']]).toEqual([422, 'E_EXPORT_REASON'])
  expect((await json(ask('GET', '/privacy/exports')))['exports']).toEqual([])
  const given = await ask(
    'GET',
    `/segments/${segment.id}/export?format=csv&reason=${encodeURIComponent('月度回访')}`,
  )
  expect(given.status).toBe(200)
  expect(await given.text()).toContain('张三')
  expect((await ask('GET', `/collections/${complaintId}/export?format=csv`)).status).toBe(422)
  expect((await ask('GET', `/collections/${complaintId}/export?format=jsonl&reason=audit`)).status).toBe(200)
  expect((await ask('POST', '/privacy/exports', { title: 'All', rows: 2, reason: ' ' })).status).toBe(422)
  expect((await ask('POST', '/privacy/exports', { title: 'All', rows: 2, reason: 'call them' })).status).toBe(
    201,
  )
  const { exports, next } = await json(ask('GET', '/privacy/exports?limit=2'))
  expect(exports).toMatchObject([
    { what: 'customers', title: 'All', rows: 2, reason: 'call them', format: 'csv' },
    { what: 'records', title: 'Complaints', rows: 0, reason: 'audit', format: 'jsonl' },
  ])
  const { exports: older } = await json(ask('GET', `/privacy/exports?before=${next}`))
  expect(older).toMatchObject([{ what: 'segment', title: 'VIP', rows: 2, reason: '月度回访' }])
  const noted = await shop.core.database.db.selectFrom('audit_log').select(['action', 'details']).execute()
  expect(noted.map(({ action }) => action)).toEqual(['segment.export', 'records.export', 'customers.export'])
  expect(JSON.stringify(noted)).not.toContain('月度回访')
})

test('a customer gets everything that is held on them, and nothing of anybody else', async () => {
  await using shop = await openShop()
  const { ask, id, core } = shop
  const by = 'person:p1' as const
  await core.collections.insert(complaintId, { subject: 'Late', customer: id, note: 'parcel' }, { by })
  await core.collections.insert(complaintId, { subject: 'Other', customer: id + 3 }, { by })
  expect((await ask('POST', `/customers/${id}/file`, { reason: '' })).status).toBe(422)
  const answer = await ask('POST', `/customers/${id}/file`, { reason: 'asked by mail', locale: 'zh-CN' })
  expect(answer.headers.get('content-type')).toBe('application/zip')
  const files = unzipSync(new Uint8Array(await answer.arrayBuffer()))
  const text = (name: string) => strFromU8(files[name]!)
  expect(Object.keys(files).toSorted()).toEqual(
    [
      'README.txt',
      'consents.csv',
      'data.json',
      'events.csv',
      'identifiers.csv',
      'journeys.csv',
      'messages.csv',
      'profile.csv',
      'records.csv',
      'requests.csv',
      'segments.csv',
      'tasks.csv',
    ].toSorted(),
  )
  expect(text('README.txt')).toContain('与您有关的全部数据')
  const data = JSON.parse(text('data.json')) as Record<string, Record<string, unknown>[]>
  expect(data['identifiers']?.map(({ value }) => value)).toContain('+8613800001111')
  expect(data['events']?.map(({ event }) => event)).toEqual(['profile.updated', 'order.paid'])
  expect(data['segments']).toMatchObject([{ segment: 'VIP' }])
  expect(data['records']).toMatchObject([{ list: 'Complaints', data: expect.stringContaining('parcel') }])
  expect(text('profile.csv')).toContain('z@example.cn')
  for (const name of Object.keys(files)) expect(text(name)).not.toMatch(/13800002222|李四|Other|p1/)
})

test('an erasure is confirmed by the name, and can be lifted by whoever wants to come back', async () => {
  await using shop = await openShop()
  const { ask, json, id } = shop
  const erase = (body: object) => ask('POST', `/customers/${id}/erase`, body)
  expect((await json(erase({ reason: 'asked', confirm: '李四' })))['code']).toBe('E_ERASE_CONFIRM')
  expect((await erase({ reason: '', confirm: '张三' })).status).toBe(400)
  expect((await erase({ reason: 'asked', confirm: '张三' })).status).toBe(202)
  expect((await erase({ reason: 'asked', confirm: '张三' })).status).toBe(404)
  expect((await json(ask('GET', '/privacy/erasures')))['erasures']).toMatchObject([{ reason: 'asked' }])
  const name = { kind: 'phone', value: '138 0000 1111' }
  expect((await json(ask('POST', '/privacy/suppressions/find', name)))['found']).toMatchObject({
    at: expect.any(Number),
  })
  expect((await ask('POST', '/privacy/suppressions/lift', { ...name, reason: 'is back' })).status).toBe(200)
  expect((await json(ask('POST', '/privacy/suppressions/find', name)))['found']).toBeNull()
})
