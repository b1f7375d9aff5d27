import path from 'node:path'
import { engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { startTestServer } from './test-server.ts'

const example = (name: string) => path.join(import.meta.dirname, '../../../examples', name)
const records = '/api/collections/examples.care-notes/notes/records'
const send = (method: string, body: unknown, headers: Record<string, string> = {}) => ({
  method,
  body: JSON.stringify(body),
  headers,
})

describe.each(engines)('records of a plugin over HTTP on %s', (engine) => {
  test('are made, found, changed with their version, deleted and brought back, each by who may', async () => {
    await using server = await startTestServer(engine, [example('care-notes'), example('shop-window')])
    const owner = await server.as()
    const agent = await server.as({ role: 'agent', name: 'Mei' })
    const read = async (answer: Promise<Response>) => (await answer).json() as Promise<any>

    expect((await fetch(`${server.url}${records}`)).status).toBe(401)
    const { collections } = await read(agent('/api/collections'))
    const notes = collections.find(({ id }: { id: string }) => id === 'examples.care-notes/notes')
    expect(notes).toMatchObject({ canWrite: true, titleField: 'title' })
    const analyst = await server.as({ role: 'analyst' })
    expect((await analyst(records, send('POST', { data: { title: 'x', state: 'open' } }))).status).toBe(403)

    const made = await owner(records, send('POST', { data: { title: '回访', due: '2026-03-05' } }))
    expect([made.status, made.headers.get('etag')]).toEqual([201, '"1"'])
    const { record, names } = await read(Promise.resolve(made))
    expect(record.data).toEqual({ title: '回访', state: 'open', due: '2026-03-05' })
    expect(Object.values(names.authors)).toEqual(['Lan'])
    // The plugin's own check speaks the language of whoever asks.
    expect(await read(owner(records, send('POST', { data: { title: ' ', state: 'open' } })))).toMatchObject({
      code: 'E_RECORD',
      details: { fields: ['title'] },
    })

    const one = `${records}/${record.id}`
    expect(
      (await owner(one, send('PATCH', { data: { state: 'doing' } }, { 'If-Match': '"1"' }))).headers.get(
        'etag',
      ),
    ).toBe('"2"')
    expect(
      await read(owner(one, send('PATCH', { data: { state: 'done' } }, { 'If-Match': '"1"' }))),
    ).toMatchObject({
      status: 409,
      code: 'E_CONFLICT',
      details: { version: 2, record: { data: { state: 'doing' } } },
    })
    expect((await owner(one, send('PATCH', { data: {} }, { 'If-Match': 'soon' }))).status).toBe(400)
    expect(await read(owner(`${one}/history`))).toMatchObject({
      entries: [
        { kind: 'update', changes: [{ field: 'state', before: 'open', after: 'doing' }] },
        { kind: 'insert' },
      ],
    })

    const filter = encodeURIComponent(JSON.stringify({ field: 'state', op: 'is', value: 'doing' }))
    expect(
      await read(agent(`${records}?filter=${filter}&search=${encodeURIComponent('回访')}&sort=due:desc`)),
    ).toMatchObject({
      total: 1,
      cursor: null,
      records: [{ id: record.id }],
    })
    expect((await owner(`${records}?filter=nonsense`)).status).toBe(400)
    expect(await read(owner('/api/collections/examples.care-notes/notes/groups?by=state'))).toEqual({
      groups: [{ value: 'doing', count: 1, name: null }],
    })
    expect(
      (
        await (
          await owner('/api/collections/examples.care-notes/notes/export?format=csv&locale=zh-CN&reason=test')
        ).text()
      ).split('\r\n')[0],
    ).toContain('内容')

    expect(await read(owner(one, { method: 'DELETE' }))).toEqual({ deleted: 1 })
    expect((await owner(one)).status).toBe(404)
    expect(await read(owner(`${records}/undelete`, send('POST', { ids: [record.id] })))).toEqual({
      restored: 1,
    })
    const log = await server.huitou.core.database.db.selectFrom('audit_log').select('action').execute()
    expect(log.map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        'record.insert',
        'record.update',
        'record.delete',
        'record.undelete',
        'records.export',
      ]),
    )

    // Disabled, the collection is gone and its records are kept.
    await owner('/api/plugins/examples.care-notes/disable', { method: 'POST' })
    expect((await owner(one)).status).toBe(404)
    await server.restart()
    const again = await server.as()
    await again('/api/plugins/examples.care-notes/enable', send('POST', {}))
    expect(await read(again(one))).toMatchObject({ record: { version: 3 } })
  })

  test('its pages, commands and files are told, and the files are no more than its pages', async () => {
    if (engine === 'postgres') return
    await using server = await startTestServer(engine, [example('care-notes'), example('shop-window')])
    const owner = await server.as()
    const read = async (answer: Promise<Response>) => (await answer).json() as Promise<any>
    const { views, containers } = await read(owner('/api/views'))
    expect(containers.map(({ id }: { id: string }) => id)).toContain('examples.care-notes/notebook')
    const page = views.find(({ id }: { id: string }) => id === 'examples.shop-window/page')
    const answer = await fetch(`${server.url}${page.entry}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-security-policy')).toMatch(
      /^sandbox allow-scripts; default-src 'none'/,
    )
    const folder = page.entry.replace(/ui\/index\.html$/, '')
    for (const file of [
      'package.json',
      'src/index.ts',
      'ui/..%2fpackage.json',
      'ui/%2e%2e/package.json',
      'README.md',
    ]) {
      expect((await fetch(`${server.url}${folder}${file}`)).status, file).toBe(404)
    }
    expect(await (await fetch(`${server.url}/plugin-files/huitou-webview.js`)).text()).toContain(
      'export function connect',
    )

    // Columns of orders come with the first turn of the loop.
    await server.settle()
    const { commands } = await read(owner('/api/commands'))
    expect(commands.map(({ id }: { id: string }) => id)).toContain('examples.care-notes/close_all')
    expect((await owner('/api/commands/examples.shop-window/none', send('POST', {}))).status).toBe(404)
    const calls = '/api/views/examples.shop-window/page/calls'
    expect(await read(owner(`${calls}/figures`, send('POST', {})))).toMatchObject({
      answer: { customers: 0 },
    })
    expect((await owner(`${calls}/none`, send('POST', {}))).status).toBe(404)
  })
})
