import { expect, test } from './test.ts'

test.use({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' })

test('a customer refuses profiling, gets their data, and is erased for good', async ({ page, shop }) => {
  const who = { userId: 'privacy-user', traits: { name: '要删除的人', phone: '13977778888' } }
  await shop.send([{ type: 'identify', messageId: 'privacy-1', ...who }])
  const find = async () => (await shop.search({ search: '要删除的人', columns: [] })).rows[0]
  await expect.poll(async () => (await find())?.name).toBe('要删除的人')
  await page.goto(`/customers/${(await find())?.id}`)

  await page.getByRole('button', { name: '拒绝画像…' }).click()
  await page.getByLabel('客户怎么说的、在哪里说的？').fill('电话里说的')
  await page.getByRole('dialog').getByRole('button', { name: '不做画像' }).click()
  await expect(page.getByText('不计算打分')).toBeVisible()

  await page.getByRole('button', { name: '提供数据副本' }).click()
  await page.getByLabel('导出用途').fill('本人来信')
  const download = page.waitForEvent('download')
  await page.getByRole('dialog').getByRole('button', { name: '下载' }).click()
  expect((await download).suggestedFilename()).toMatch(/^customer-\d+\.zip$/)

  await page.getByRole('button', { name: '登记请求…' }).click()
  await page.getByLabel('请求事项').selectOption('erasure')
  await page.getByLabel('由谁提出、如何核实身份').fill('本人')
  await page.getByRole('dialog').getByRole('button', { name: '登记' }).click()
  await expect(page.getByRole('link', { name: '删除个人信息' })).toBeVisible()

  await page.getByRole('button', { name: '删除数据…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('删除原因').fill('本人要求')
  await expect(dialog.getByRole('button', { name: '永久删除' })).toBeDisabled()
  await dialog.getByLabel('输入 要删除的人 确认').fill('要删除的人')
  await dialog.getByRole('button', { name: '永久删除' }).click()
  await expect(page).toHaveURL(/\/customers$/)
  await expect(page.getByRole('tab', { name: '要删除的人' })).toHaveCount(0)

  // The erasure is what was asked for.
  await page.goto('/settings/privacy')
  await page.getByRole('radio', { name: '已办结' }).click()
  await expect(page.getByRole('listitem').filter({ hasText: '已删除的客户' })).toContainText('已完成')
  await page.getByRole('link', { name: '该客户的数据已删除' }).click()
  const row = page.getByRole('row').filter({ hasText: '本人要求' })
  await expect(row).toContainText('个身份')
  await expect(row).not.toContainText('进行中')
  await page.getByRole('radio', { name: '数据导出' }).click()
  await expect(page.getByRole('row').filter({ hasText: '本人来信' })).toContainText('单个客户的数据')

  await shop.send([{ type: 'identify', messageId: 'privacy-2', ...who }])
  await page.goto('/settings/privacy?part=erasures')
  await page.getByLabel('查询某个身份是否已被删除').fill('139 7777 8888')
  await page.getByRole('button', { name: '查询', exact: true }).click()
  await expect(page.getByText(/已于 .* 删除/)).toBeVisible()
  expect(await find()).toBeUndefined()
})
