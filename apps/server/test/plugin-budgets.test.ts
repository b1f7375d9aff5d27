import { expect, test } from 'vitest'
import { get, upload, view } from './plugin-calls.ts'
import { startTestServer } from './test-server.ts'

test('what plugins may use is the owner’s to say, for all of a kind and for one, and outlives a restart', async () => {
  await using server = await startTestServer()
  const owner = await server.as()
  const developer = await server.as({ email: 'developer@example.com', role: 'developer' })
  const put = async (call: typeof owner, route: string, body: unknown) => {
    const answer = await call(`/api/plugins${route}`, { method: 'PUT', body: JSON.stringify(body) })
    return { status: answer.status, body: await answer.json() }
  }
  expect((await upload(owner, {})).status).toBe(201)
  const defaults = { memoryMb: 512, idleCpuShare: 0.25, deadlineMs: 60_000 }
  expect((await view(owner)).budget).toEqual({ ...defaults, own: {} })

  const kinds = { worker: {}, process: { memoryMb: 400 } }
  expect((await put(developer, '/budgets', kinds)).status).toBe(403)
  expect((await put(owner, '/budgets', { worker: {}, process: { memoryMb: 1 } })).status).toBe(400)
  expect((await put(owner, '/budgets', kinds)).body).toMatchObject({
    set: kinds,
    defaults: { worker: { memoryMb: 2_048 }, process: defaults },
  })
  expect((await put(developer, '/acme.tea/budget', { deadlineMs: 5_000 })).status).toBe(403)
  expect((await put(owner, '/acme.coffee/budget', { deadlineMs: 5_000 })).status).toBe(404)
  const changed = { ...defaults, memoryMb: 400, deadlineMs: 5_000, own: { deadlineMs: 5_000 } }
  expect((await put(owner, '/acme.tea/budget', { deadlineMs: 5_000 })).body.budget).toEqual(changed)

  await server.restart()
  expect(await get(owner, '/budgets')).toMatchObject({ set: kinds })
  expect((await view(owner)).budget).toEqual(changed)
  expect((await view(owner, 'huitou.rfm')).budget).toMatchObject({ memoryMb: 2_048, own: {} })
  const audited = await server.huitou.core.database.db
    .selectFrom('audit_log')
    .select(['action', 'subject'])
    .where('action', 'in', ['plugin.budget', 'plugin.budgets'])
    .orderBy('id')
    .execute()
  expect(audited).toEqual([
    { action: 'plugin.budgets', subject: 'plugins' },
    { action: 'plugin.budget', subject: 'acme.tea' },
  ])

  expect((await put(owner, '/acme.tea/budget', {})).body.budget).toMatchObject({
    deadlineMs: 60_000,
    own: {},
  })
})
