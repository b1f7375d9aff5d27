import { expect, test } from './test.ts'

test.use({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' })

const DAY = 86_400_000

test('a customer’s story, phone and merges', async ({ page, shop }) => {
  const now = Date.now()
  const at = (days: number) => new Date(now - days * DAY).toISOString()
  const buyer = { type: 'buyer_id:tmall', id: '拆开测试' }
  const paid = (id: string, days: number, more: object) => ({
    type: 'track',
    event: 'order.paid',
    messageId: `merge-${id}`,
    timestamp: at(days),
    properties: {
      order_id: `merge-${id}`,
      currency: 'CNY',
      total: 100,
      items: [{ name: '晚霜', quantity: 1 }],
    },
    ...more,
  })
  await shop.send([
    {
      type: 'identify',
      userId: 'merge-user',
      messageId: 'merge-who',
      timestamp: at(30),
      traits: { name: '合并人', phone: '13911112222' },
    },
    paid('1', 20, { userId: 'merge-user' }),
    paid('2', 15, { context: { externalIds: [buyer] } }),
    {
      type: 'track',
      event: 'wecom.friend_added',
      userId: 'merge-user',
      messageId: 'merge-3',
      timestamp: at(10),
      context: { externalIds: [buyer] },
    },
  ])
  const find = async () => (await shop.search({ search: '合并人', columns: ['commerce_orders'] })).rows[0]
  await expect.poll(async () => (await find())?.columns['commerce_orders']).toBe(2)
  await page.goto(`/customers/${(await find())?.id}`)

  const timeline = page.getByRole('region', { name: '轨迹' })
  await expect(timeline.getByText('支付订单 ¥100')).toHaveCount(2)
  await expect(timeline).toContainText('更新资料')
  await expect(timeline).toContainText('添加企业微信')
  await expect(timeline).toContainText('晚霜')

  const facts = page.locator('.facts')
  await expect(facts).toContainText('139****2222')
  await facts.getByRole('button', { name: '显示完整的值，会记入审计' }).click()
  await expect(facts).toContainText('13911112222')

  await page.getByRole('button', { name: '拆开' }).click()
  await page.getByRole('dialog').getByRole('button', { name: '拆开' }).click()
  await expect(page.getByText('已拆开')).toBeVisible()
  await expect.poll(async () => (await find())?.columns['commerce_orders']).toBe(1)
  await expect(timeline.getByText('支付订单 ¥100')).toHaveCount(1)
  const { total } = await shop.search({ search: '拆开测试' })
  expect(total).toBe(1)
})
