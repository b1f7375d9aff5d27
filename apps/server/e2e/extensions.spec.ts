import { checkAccess } from './accessible.ts'
import { setUpOwner } from './api.ts'
import { startHuitou } from './huitou-process.ts'
import { heatMap, readHeatMap } from './import-wizard.ts'
import { smallShop } from './small-shop.ts'
import { expect, test } from './test.ts'

test('RFM can be switched off, on again, and told to score by quantiles', async ({ page, context }) => {
  test.setTimeout(90_000)
  // What it switches off, others look at: it has a shop of its own.
  await using huitou = await startHuitou(page)
  const api = await setUpOwner(huitou.url)
  const { events, buyers } = smallShop(Date.now())
  await api.send(events)
  await api.scored(buyers)
  await context.addCookies([{ ...api.cookie, url: huitou.url }])
  const columns = async () =>
    (await api.request<{ columns: { name: string }[] }>('/api/columns')).columns.map(({ name }) => name)

  await page.goto(`${huitou.url}/segments`)
  const side = page.getByRole('complementary').first()
  await expect(side.getByRole('link', { name: '冠军' })).toBeVisible()
  await page.goto(`${huitou.url}/extensions/huitou.rfm`)
  await page.getByRole('button', { name: '停用', exact: true }).click()
  await expect(page.getByRole('button', { name: '启用', exact: true })).toBeVisible()
  expect(await columns()).not.toContain('rfm_segment')
  await page.getByRole('link', { name: '人群', exact: true }).click()
  await expect(side.getByRole('link', { name: '冠军' })).toHaveCount(0)
  await page.getByRole('link', { name: '客户', exact: true }).click()
  await expect(page.getByRole('columnheader', { name: '订单数' })).toBeVisible()
  await expect(page.getByRole('columnheader', { name: 'RFM 分层' })).toHaveCount(0)

  await page.goto(`${huitou.url}/extensions/huitou.rfm?tab=settings`)
  await page.getByRole('button', { name: '启用', exact: true }).click()
  await expect(page.getByRole('button', { name: '停用', exact: true })).toBeVisible()
  await api.scored(buyers)
  expect(await columns()).toContain('rfm_segment')
  await page.getByLabel('打分方法').selectOption({ label: '按分位数' })
  await page.getByRole('button', { name: '保存' }).click()
  await expect(page.getByText('已保存')).toBeVisible()
  await page.goto(`${huitou.url}/segments`)
  await expect(side.getByRole('link', { name: '冠军' })).toBeVisible()

  await page.goto(`${huitou.url}/extensions`)
  await page.getByRole('button', { name: '限额' }).click()
  await page.getByLabel('内存（MB）').last().fill('1500')
  await checkAccess(page, 'limits')
  await page.getByRole('dialog').getByRole('button', { name: '保存' }).click()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  expect(await api.request('/api/plugins/budgets')).toMatchObject({ set: { worker: { memoryMb: 1500 } } })

  await page.goto(`${huitou.url}/reports/rfm.rfm`)
  await heatMap(page).waitFor()
  await expect(page.getByText('分位数打分')).toBeVisible()
  expect((await readHeatMap(page)).flat().reduce((sum, count) => sum + count, 0)).toBe(buyers)
})
