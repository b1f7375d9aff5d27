import { engines } from '@huitou/testing'
import { parse } from 'csv-parse/sync'
import { describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

const people = [
  { userId: 'u1', name: '苏晴', phone: '13812345678', city: '上海', orders: 3 },
  { userId: 'u2', name: '=1+1', phone: '13912345678', city: '上海', orders: 1 },
  { userId: 'u3', name: '何川', phone: '13712345678', city: '成都', orders: 2 },
]

async function fill(server: TestServer): Promise<void> {
  const now = new Date().toISOString()
  const batch = people.flatMap(({ userId, orders, ...traits }) => [
    { type: 'identify', userId, messageId: `i-${userId}`, timestamp: now, traits },
    ...Array.from({ length: orders }, (_, nth) => ({
      type: 'track',
      event: 'Order Completed',
      userId,
      messageId: `o-${userId}-${nth}`,
      timestamp: now,
      properties: { order_id: `${userId}-${nth}`, total: 100, currency: 'CNY' },
    })),
  ])
  const answer = await fetch(`${server.url}/v1/batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${server.writeKey}:`)}` },
    body: JSON.stringify({ batch }),
  })
  expect(answer.status).toBe(200)
  await server.settle()
}

const shanghai = { all: [{ column: 't_city', op: 'is', value: '上海' }] }
const repeat = { all: [...shanghai.all, { column: 'commerce_orders', op: 'gte', value: 2 }] }
const post = (body: unknown) => ({ method: 'POST', body: JSON.stringify(body) })

describe.each(engines)('segments over HTTP on %s', (engine) => {
  test('are counted, made, explained, changed, kept as a list, exported and taken away', async () => {
    await using server = await startTestServer(engine)
    await fill(server)
    const call = await server.as()
    const read = async (answer: Promise<Response>) => (await answer).json() as Promise<any>

    expect(await read(call('/api/segments/count', post({ rule: repeat })))).toMatchObject({
      count: 1,
      total: 3,
      steps: [{ count: 2 }, { count: 1 }],
    })
    const made = await call('/api/segments', post({ name: '上海', rule: shanghai }))
    expect(made.status).toBe(201)
    const { id } = (await made.json()) as { id: string }
    await server.settle()
    expect(await read(call(`/api/segments/${id}`))).toMatchObject({ name: '上海', count: 2 })

    const { rows } = await read(call('/api/customers/search', post({ segmentId: id, search: '苏晴' })))
    const explained = await read(
      call('/api/segments/explain', post({ segmentId: id, customerId: rows[0].id })),
    )
    expect(explained).toMatchObject({ member: true, lines: [{ ok: true }], history: [{ entered: true }] })

    const snapshot = await call(`/api/segments/${id}/snapshot`, post({ name: '当时的上海' }))
    const list = (await snapshot.json()) as { id: string }
    const changed = { method: 'PUT', body: JSON.stringify({ name: '上海复购', rule: repeat }) }
    expect((await call(`/api/segments/${id}`, changed)).status).toBe(200)
    await server.settle()
    expect(await read(call(`/api/segments/${id}`))).toMatchObject({ name: '上海复购', count: 1 })
    expect(await read(call(`/api/segments/${list.id}`))).toMatchObject({ kind: 'static', count: 2 })
    const { overlaps } = await read(call(`/api/segments/${id}/overlap`))
    expect(overlaps).toContainEqual(expect.objectContaining({ id: list.id, count: 1, share: 1 }))
    const { days } = await read(call(`/api/segments/${id}/history?days=7`))
    expect(days.at(-1)).toMatchObject({ count: 1 })

    const file = await call(
      `/api/segments/${list.id}/export?format=csv&columns=t_name,t_phone&locale=zh-CN&reason=test`,
    )
    expect(file.headers.get('Content-Disposition')).toContain(encodeURIComponent('当时的上海'))
    const cells = (parse(await file.text(), { bom: true }) as string[][]).slice(1).flat()
    // Masked, and nothing that a spreadsheet would work out.
    expect(cells).toContain('138****5678')
    expect(cells.filter((cell) => cell.startsWith('='))).toEqual([])
    expect(cells.join()).not.toContain('13812345678')

    expect((await call(`/api/segments/${id}`, { method: 'DELETE' })).status).toBe(204)
    const gone = await call(`/api/segments/${id}`)
    expect(gone.status).toBe(404)
    expect(await gone.json()).toMatchObject({ code: 'E_NOT_FOUND' })
  })
})

test('who may only look neither makes, changes, exports nor deletes segments', async () => {
  await using server = await startTestServer()
  const owner = await server.as()
  const { id } = (await (await owner('/api/segments', post({ name: 'A', rule: shanghai }))).json()) as {
    id: string
  }
  const agent = await server.as({ role: 'agent' })
  const refused = await Promise.all([
    agent('/api/segments', post({ name: 'B', rule: shanghai })),
    agent(`/api/segments/${id}`, { method: 'PUT', body: '{"name":"B"}' }),
    agent(`/api/segments/${id}`, { method: 'DELETE' }),
    agent(`/api/segments/${id}/snapshot`, post({ name: 'B' })),
    agent(`/api/segments/${id}/export`),
  ])
  expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403])
  expect((await agent(`/api/segments/${id}`)).status).toBe(403)
  const developer = await server.as({ role: 'developer' })
  expect((await developer(`/api/segments/${id}/export`)).status).toBe(403)
  expect((await developer(`/api/segments/${id}`)).status).toBe(200)
})

test('a rule that cannot be meant is refused with what is wrong, and makes no segment', async () => {
  await using server = await startTestServer()
  await fill(server)
  const call = await server.as()
  const before = await (await call('/api/segments')).json()
  const rules = {
    'a column that nobody has': { all: [{ column: 'nobodys', op: 'is', value: 1 }] },
    'an operator that the column does not know': { all: [{ column: 't_city', op: 'within_days', value: 3 }] },
    'a value of another type': { all: [{ column: 'commerce_orders', op: 'gte', value: 'many' }] },
    'too deep': Array.from({ length: 40 }).reduce((rule) => ({ all: [rule] }), shanghai),
  }
  for (const [what, rule] of Object.entries(rules)) {
    const answer = await call('/api/segments', post({ name: 'Wrong', rule }))
    expect(answer.status, what).toBe(400)
    expect(await answer.json(), what).toMatchObject({
      code: expect.stringMatching(/^E_/),
      detail: expect.any(String),
    })
  }
  expect(await (await call('/api/segments')).json()).toEqual(before)
})
