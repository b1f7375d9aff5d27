import { createHmac } from 'node:crypto'
import { engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { startTestServer } from './test-server.ts'

const order = {
  id: 820982911946154500,
  name: '#1001',
  email: 'bob@example.com',
  created_at: '2026-02-01T10:00:00+08:00',
  processed_at: '2026-02-01T10:00:00+08:00',
  updated_at: '2026-02-01T10:00:00+08:00',
  currency: 'CNY',
  total_price: '59.99',
  financial_status: 'paid',
  customer: { id: 115310627314723950, email: 'bob@example.com' },
  line_items: [{ id: 1, product_id: 7, sku: 'S', title: 'Serum', quantity: 1, price: '59.99' }],
}
const signed = (secret: string, body: string) => ({
  'Content-Type': 'application/json',
  'X-Shopify-Topic': 'orders/paid',
  'X-Shopify-Webhook-Id': 'w1',
  'X-Shopify-Shop-Domain': 'shop.example',
  'X-Shopify-Hmac-Sha256': createHmac('sha256', secret).update(body).digest('base64'),
})

describe.each(engines)('on %s', (engine) => {
  test('a signed webhook of a shop becomes an order, twice becomes the same one, and an unsigned one nothing', async () => {
    await using server = await startTestServer(engine)
    const owner = await server.as()
    const stored = await owner('/api/plugins/huitou.commerce/settings', {
      method: 'PUT',
      body: JSON.stringify({ settings: { shopifySecret: 'shpss_only_for_tests' } }),
    })
    expect(stored.status).toBe(200)
    expect(await stored.text()).not.toContain('shpss_only_for_tests')
    const body = JSON.stringify(order)
    const send = (secret: string) =>
      fetch(`${server.url}/hooks/commerce/shopify`, { method: 'POST', headers: signed(secret, body), body })
    expect((await send('another secret')).status).toBe(401)
    expect((await send('shpss_only_for_tests')).status).toBe(200)
    expect((await send('shpss_only_for_tests')).status).toBe(200)
    await server.settle()
    const { rows } = (await (
      await owner('/api/customers/search', {
        method: 'POST',
        body: JSON.stringify({ columns: ['commerce_orders', 'commerce_spend'], limit: 10 }),
      })
    ).json()) as { rows: { columns: object }[] }
    expect(rows.map(({ columns }) => columns)).toEqual([{ commerce_orders: 1, commerce_spend: 5_999 }])
  })
})

test('secrets are sealed in the database and open again after a restart', async () => {
  await using server = await startTestServer()
  const { plugins, core } = server.huitou
  await plugins.setSettings('huitou.commerce', { shopifySecret: 'shpss_canary' })
  const { settings } = await core.database.db
    .selectFrom('plugins')
    .select('settings')
    .where('id', '=', 'huitou.commerce')
    .executeTakeFirstOrThrow()
  expect(settings).not.toContain('canary')
  expect(settings).toContain('sealed:1:')
  // Leaving a secret out of a change keeps it.
  await plugins.setSettings('huitou.commerce', {})
  expect(server.huitou.host.getPlugin('huitou.commerce').settings).toMatchObject({
    shopifySecret: 'shpss_canary',
  })
})

interface Columns {
  columns: { name: string }[]
  events: { name: string; properties: { name: string; title: object }[] }[]
  owners: Record<string, object>
}

test('what an event holds has words in both languages', async () => {
  await using server = await startTestServer()
  const owner = await server.as()
  const { events } = (await (await owner('/api/columns')).json()) as Columns
  const searched = events.find(({ name }) => name === 'product.searched')
  expect(searched?.properties).toContainEqual({
    name: 'query',
    title: { en: 'Search words', 'zh-CN': '搜索词' },
  })
})

test('disabling RFM takes its columns and segments away, enabling brings them back', async () => {
  await using server = await startTestServer()
  const owner = await server.as()
  await server.huitou.core.events.append([
    {
      message_id: 'a',
      source: 't',
      type: 'track',
      name: 'order.paid',
      ts: Date.now(),
      version: 1,
      body: JSON.stringify({ userId: 'u', properties: { order_id: '1', total: 5 } }),
    },
  ])
  await server.settle()
  const look = async () => {
    const { columns, owners } = (await (await owner('/api/columns')).json()) as Columns
    const { segments } = (await (await owner('/api/segments')).json()) as {
      segments: { id: string; count: number }[]
    }
    return {
      rfm: columns.filter(({ name }) => name.startsWith('rfm_')).length,
      segments: segments.length,
      members: segments.reduce((sum, { count }) => sum + count, 0),
      owner: owners['huitou.rfm'],
    }
  }
  const before = await look()
  expect(before).toMatchObject({ segments: 11, members: 1, owner: { en: 'RFM', 'zh-CN': 'RFM 分层' } })
  expect((await owner('/api/plugins/huitou.rfm/disable', { method: 'POST' })).status).toBe(200)
  await server.settle()
  expect(await look()).toEqual({ rfm: 0, segments: 0, members: 0 })
  expect((await owner('/api/plugins/huitou.rfm/enable', { method: 'POST' })).status).toBe(200)
  await server.settle()
  expect(await look()).toEqual(before)
})

test('settings that do not fit the schema are refused with the field, and nothing changes', async () => {
  await using server = await startTestServer()
  const owner = await server.as()
  const answer = await owner('/api/plugins/huitou.rfm/settings', {
    method: 'PUT',
    body: JSON.stringify({ settings: { method: 'guess' } }),
  })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ code: 'E_SETTINGS' })
  expect(server.huitou.host.getPlugin('huitou.rfm').settings).toMatchObject({ method: 'rank' })
})
