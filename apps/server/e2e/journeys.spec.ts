import { checkAccess } from './accessible.ts'
import { settled } from './settled.ts'
import { expect, test } from './test.ts'

test.use({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN', colorScheme: 'light' })

interface Journey {
  id: string
  name: string
  state: string
  publishedVersion: number | null
  draft: { nodes: Record<string, { type: string }> }
}

test('a journey is drawn by keyboard, taken back, published and changed', async ({ page, shop }) => {
  const stored = async () => await shop.request<Journey>(`/api/journeys/${id}`)
  const { id } = await shop.request<Journey>('/api/journeys', {
    body: {
      name: '试画',
      definition: {
        trigger: { type: 'event', event: 'order.created' },
        start: 'end',
        nodes: { end: { type: 'end' } },
      },
    },
  })
  await page.goto(`/journeys/${id}`)
  const step = (node: string) => page.locator(`[data-step="${node}"] .step-card`)

  // A message in front of the end, by its key alone.
  await step('$trigger').focus()
  await page.keyboard.press('a')
  await page.keyboard.press('Enter')
  await expect(step('send')).toBeFocused()
  await page.locator('.details').getByLabel(/正文/).first().fill('你好，欢迎回来')
  await expect(step('send')).toContainText('你好，欢迎回来')

  // Down goes along the line; Delete takes out; Control Z brings back.
  await step('$trigger').focus()
  await page.keyboard.press('ArrowDown')
  await expect(step('send')).toBeFocused()
  await page.keyboard.press('Delete')
  await expect(step('send')).toHaveCount(0)
  await page.keyboard.press('Control+z')
  await expect(step('send')).toContainText('你好，欢迎回来')
  await expect.poll(async () => Object.keys((await stored()).draft.nodes)).toContain('send')

  await page.getByRole('button', { name: '发布', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: '发布', exact: true }).click()
  await expect(page.getByText('运行中 · 第 1 版').first()).toBeVisible()

  // The same journey as a list takes the same edits.
  await page.getByRole('radio', { name: '列表' }).click()
  await page.getByRole('button', { name: /在“发「你好/ }).click()
  await page.getByRole('menuitem', { name: /^等待/ }).click()
  await expect(page.locator('.outline')).toContainText('1 天')
  await page.getByRole('button', { name: '查看差别并发布' }).click()
  await expect(page.getByRole('dialog')).toContainText('新增 · 等待')
  await page.getByRole('dialog').getByRole('button', { name: '发布', exact: true }).click()
  await expect.poll(async () => (await stored()).publishedVersion).toBe(2)
  await settled(page)
  await checkAccess(page, 'journey as a list')
  await page.getByRole('radio', { name: '画布' }).click()
  await checkAccess(page, 'journey on the canvas')

  // Ending asks what becomes of those under way; here is nobody.
  await page.getByRole('button', { name: '更多', exact: true }).click()
  await page.getByText('结束…').click()
  await expect(page.getByRole('dialog')).toContainText('没有客户在途中')
  await checkAccess(page, 'ending a journey')
  await page.getByRole('dialog').getByRole('button', { name: '结束', exact: true }).click()
  await expect.poll(async () => (await stored()).state).toBe('ended')
})
