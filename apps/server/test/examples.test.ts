import path from 'node:path'
import { engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { startTestServer } from './test-server.ts'

const example = path.resolve(import.meta.dirname, '../../../examples/tea-club')

describe.each(engines)('on %s', (engine) => {
  test('the tea club: declared in a manifest, its columns, score, levels and segments follow events and its setting', async () => {
    await using server = await startTestServer(engine, [example])
    const tasting = (userId: string, id: number, tea: string, daysAgo: number) => ({
      type: 'track',
      event: 'tasting.attended',
      messageId: `${userId}${id}`,
      userId,
      timestamp: new Date(Date.now() - daysAgo * 86_400_000).toISOString(),
      properties: { tasting_id: `${userId}${id}`, tea },
    })
    const answer = await fetch(`${server.url}/v1/batch`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${server.writeKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        batch: [
          tasting('ann', 1, '龙井', 3),
          tasting('ann', 2, '普洱', 200),
          tasting('ann', 3, '龙井', 300),
          tasting('bo', 1, '普洱', 400),
        ],
      }),
    })
    expect(await answer.json()).toMatchObject({ accepted: 4 })
    await server.settle()
    const owner = await server.as()
    const columns = [
      'key',
      'tea_club_tastings',
      'tea_club_tastings_90d',
      'tea_club_favourite_tea',
      'tea_club_warmth',
      'tea_club_level',
    ]
    const look = async () => {
      const found = (await (
        await owner('/api/customers/search', { method: 'POST', body: JSON.stringify({ columns, limit: 10 }) })
      ).json()) as { rows: { columns: Record<string, unknown> }[] }
      return Object.fromEntries(
        found.rows.map((row) => [row.columns['key'], columns.slice(1).map((name) => row.columns[name])]),
      )
    }
    expect(await look()).toEqual({ ann: [3, 1, '龙井', 40, 'friend'], bo: [1, 0, '普洱', 10, 'guest'] })
    await server.huitou.plugins.setSettings('examples.tea-club', { pointsPerTasting: 20 })
    await server.settle()
    expect(await look()).toMatchObject({
      ann: [3, 1, '龙井', 80, 'master'],
      bo: [1, 0, '普洱', 20, 'friend'],
    })
    const { segments } = (await (await owner('/api/segments')).json()) as {
      segments: { id: string; count: number; title: unknown }[]
    }
    expect(segments.find(({ id }) => id === 'builtin:tea_club.level.master')).toMatchObject({
      count: 1,
      title: { en: 'Master', 'zh-CN': '茶人' },
    })
  })
})

const folderOf = (name: string) => path.resolve(import.meta.dirname, '../../../examples', name)

test('examples of every other kind do what their readmes say', async () => {
  const names = ['visits', 'gift-desk', 'silk-ribbon', 'care-notes', 'shop-window', 'text-relay']
  await using server = await startTestServer('sqlite', names.map(folderOf))
  const owner = await server.as()
  const read = async (route: string, init?: RequestInit) => {
    const answer = await owner(route, init)
    if (!answer.ok) throw new Error(`${route}: ${await answer.text()}`)
    return (await answer.json()) as Record<string, unknown>
  }
  const post = (route: string, body: object) => read(route, { method: 'POST', body: JSON.stringify(body) })

  // Without code: labels by rules.
  const visit = (userId: string, id: number) => ({
    type: 'track',
    event: 'shop.visited',
    messageId: `${userId}${id}`,
    userId,
    properties: { visit_id: `${userId}${id}` },
  })
  await fetch(`${server.url}/v1/batch`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.writeKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ batch: [visit('ann', 1), visit('ann', 2), visit('ann', 3), visit('bo', 1)] }),
  })
  await server.settle()
  const found = await post('/api/customers/search', {
    columns: ['key', 'visits_visits', 'visits_kind'],
    limit: 10,
  })
  expect((found['rows'] as { columns: object }[]).map(({ columns }) => columns)).toEqual(
    expect.arrayContaining([
      { key: 'ann', visits_visits: 3, visits_kind: 'regular' },
      { key: 'bo', visits_visits: 1, visits_kind: 'guest' },
    ]),
  )

  // One defines a point, the other contributes to it.
  const compared = await post('/api/commands/examples.gift-desk/compare', { input: { items: 2 } })
  expect(compared['result']).toEqual([
    {
      id: 'examples.silk-ribbon/silk',
      title: { en: 'Silk ribbon', 'zh-CN': '丝带包装' },
      colour: 'red',
      minorUnits: 1_600,
    },
  ])

  // Records, their hook, and a command that works as a job.
  const notes = '/api/collections/examples.care-notes/notes/records'
  await post(notes, { data: { title: '回访', state: 'open' } })
  const refused = await owner(notes, {
    method: 'POST',
    body: JSON.stringify({ data: { title: ' ', state: 'open' } }),
  })
  expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining('at least one word')])
  await post('/api/commands/examples.care-notes/close_all', {})
  await server.settle()

  // A page of its own, which may run its own files and reach nothing.
  const page = await fetch(`${server.url}/plugin-files/examples.shop-window/1.0.0/ui/index.html`)
  expect(page.headers.get('content-security-policy')).toContain('sandbox allow-scripts')
  // Of a plugin without pages its icon is handed out, and nothing else.
  const files = `${server.url}/plugin-files/examples.silk-ribbon/1.0.0`
  expect((await fetch(`${files}/icon.svg`)).headers.get('content-type')).toBe('image/svg+xml')
  expect((await fetch(`${files}/package.json`)).status).toBe(404)
  const figures = await post('/api/views/examples.shop-window/page/calls/figures', {})
  expect(figures['answer']).toEqual({ customers: 2, orders: 0 })
})
