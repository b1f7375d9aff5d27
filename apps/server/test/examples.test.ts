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
