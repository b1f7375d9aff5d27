import { expect, test } from './test.ts'

test('the shop opens', async ({ page, shop }) => {
  await page.goto('/')
  await expect(page.getByRole('main')).toBeVisible()
  expect(await shop.count({ all: [] })).toBeGreaterThan(0)
  await page.goto('/segments/new')
  await page.screenshot({ path: 'test-results/x.png' })
})
