import { expect, test } from './test.ts'

test.use({ viewport: { width: 1280, height: 900 }, locale: 'zh-CN' })

test('a template is taken, corrected where it says so, read as a customer and sent as a test', async ({
  page,
  shop,
}) => {
  await page.goto('/messages/templates')
  await page.getByRole('button', { name: '使用 签收感谢' }).click()
  await expect(page).toHaveURL(/\/messages\/templates\/(?!new)/)

  const text = page.getByLabel('正文 *')
  await text.fill('你好\n{{ customer.nobody }}')
  await expect(page.getByText('第 2 行：没有 customer.nobody')).toBeVisible()
  await text.fill('')
  await page.getByRole('button', { name: /变量 正文/ }).click()
  await page.getByPlaceholder('查找变量').fill('姓名')
  await page.getByRole('dialog', { name: '变量' }).getByRole('button', { name: /^姓名/ }).click()
  await expect(text).toHaveValue('{{ customer.t_name }}')
  const { rows } = await shop.search({ limit: 1 })
  const reader = page.getByRole('region', { name: '预览' })
  await expect(reader.locator('.content-words')).not.toBeEmpty()

  await page.getByRole('button', { name: '保存', exact: true }).click()
  await expect(page.getByRole('button', { name: '保存', exact: true })).toBeDisabled()
  const { templates } = await shop.request<{ templates: { variants: object }[] }>('/api/templates')
  expect(templates[0]?.variants).toMatchObject({ 'zh-CN': { text: '{{ customer.t_name }}' } })

  await page.getByRole('button', { name: '试发' }).click()
  const test = page.locator('.content-test')
  await test.getByLabel('发送到（客户编号）').fill(String(rows[0]?.id))
  await test.getByRole('button', { name: '发送', exact: true }).click()
  await expect(test.getByRole('status')).toHaveText('已发送')
})
