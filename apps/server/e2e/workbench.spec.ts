import { expect, test } from './test.ts'

test.use({ viewport: { width: 350, height: 800 }, locale: 'zh-CN' })

test('a task is found, taken and ended by the keyboard, in a column as narrow as a chat’s side bar', async ({
  page,
  shop,
}) => {
  const { rows } = await shop.search({ limit: 1 })
  await shop.request('/api/tasks', {
    body: {
      title: '窄栏回访 {{customer.t_name}}',
      customerId: rows[0]?.id,
      dueMinutes: 1,
      script: '{{customer.t_name}}',
      outcomes: [
        { id: 'reached', title: '测试一' },
        { id: 'busy', title: '测试二' },
      ],
    },
  })
  await page.goto('/workbench')
  const row = page.getByRole('link', { name: /^窄栏回访/ })
  await expect(row).toBeVisible()
  const wide = await page.evaluate(() => document.documentElement.scrollWidth)
  expect(wide).toBeLessThanOrEqual(350)
  await row.focus()
  await page.keyboard.press('c')
  await expect(row).toContainText('我')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: '测试二' })).toBeVisible()
  await page.getByLabel('备注').fill('明天再打')
  await page.getByLabel('备注').blur()
  await page.keyboard.press('2')
  await expect(page.getByText('完成：测试二')).toBeVisible()
  await expect(page.getByText('明天再打').first()).toBeVisible()
})
