import { startHuitou } from './huitou-process.ts'
import { setUpOwner } from './api.ts'
import { expect, test } from './test.ts'

test('the demo shop loads from the first page', async ({ page, context }) => {
  test.setTimeout(300_000)
  await using huitou = await startHuitou(page)
  const api = await setUpOwner(huitou.url)
  await context.addCookies([{ ...api.cookie, url: huitou.url }])
  await page.goto(`${huitou.url}/start`)
  await page.getByRole('button', { name: '载入演示店铺' }).click()
  await expect(page.getByRole('progressbar')).toBeVisible()
  // Two years of orders take some fifteen seconds, and a multiple of that where much else is done.
  await page.waitForURL(`${huitou.url}/`, { timeout: 240_000 })
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
})
