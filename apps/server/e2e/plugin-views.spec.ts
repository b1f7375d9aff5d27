import path from 'node:path'
import { setUpOwner } from './api.ts'
import { startHuitou } from './huitou-process.ts'
import { checkAccess } from './accessible.ts'
import { settled } from './settled.ts'
import { expect, test } from './test.ts'

const examples = ['care-notes', 'shop-window', 'greeting-card'].map((name) =>
  path.join(import.meta.dirname, '../../../examples', name),
)

test('records of a plugin are written, moved, searched, imported and shown where they belong', async ({
  page,
  context,
}) => {
  test.setTimeout(90_000)
  await using huitou = await startHuitou(page, examples)
  const api = await setUpOwner(huitou.url)
  await api.send([
    { type: 'identify', userId: 'm1', messageId: 'm1', traits: { name: '苏晴', phone: '13800001000' } },
  ])
  await expect.poll(() => api.search({}).then(({ total }) => total)).toBe(1)
  await context.addCookies([{ ...api.cookie, url: huitou.url }])

  // An empty place says what it is for; the first record names its customer and is refused while it says nothing.
  await page.goto(huitou.url)
  const area = page.getByRole('navigation', { name: '功能区' }).getByRole('link', { name: '关怀记事' })
  // An icon that Huitou itself shows nowhere.
  await expect(area.locator('svg.lucide-notebook-pen')).toBeVisible()
  await area.click()
  await expect(page.getByRole('heading', { name: '还没有「记事」' })).toBeVisible()
  await settled(page)
  await checkAccess(page, 'an empty table')
  await page.getByRole('button', { name: '建第一条' }).click()
  await page.getByLabel('内容').fill(' ')
  await page.getByRole('combobox', { name: '客户' }).fill('苏')
  await page.getByRole('option', { name: '苏晴' }).click()
  await page.getByLabel('截止日期').fill('2026-03-02')
  await page.getByRole('button', { name: '创建' }).click()
  await expect(page.getByText('请至少写一个字').first()).toBeVisible()
  await page.getByLabel('内容').fill('生日前寄一张卡')
  await page.getByRole('button', { name: '创建' }).click()
  await expect(page.getByRole('heading', { level: 1, name: '生日前寄一张卡' })).toBeVisible()
  await settled(page)
  await checkAccess(page, 'a record')

  // On the board a card moves by keyboard; its history says so.
  const side = page.getByRole('complementary', { name: '插件页面' })
  await side.getByRole('link', { name: '看板' }).click()
  const card = page.getByRole('button', { name: '生日前寄一张卡' })
  await expect(page.getByRole('region', { name: 'open' }).locator(card)).toBeVisible()
  await card.focus()
  await page.keyboard.press('Alt+ArrowRight')
  await expect(page.getByRole('region', { name: 'doing' }).locator(card)).toBeFocused()
  await settled(page)
  await checkAccess(page, 'a board')
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: '在页面里打开' }).click()
  await expect(page.getByText('做了修改')).toBeVisible()

  // Somebody else was faster: what was typed stays, and saves once it is seen.
  const records = '/api/collections/examples.care-notes/notes/records'
  const { records: before } = await api.request<{ records: { id: string }[] }>(records)
  await page.getByLabel('内容').fill('生日前寄一张手写卡')
  await page.route(
    '**/records/*',
    async (route) => {
      const body = { data: { due: '2026-04-01' } }
      await api.request(`${records}/${before[0]?.id}`, { method: 'PATCH', body })
      await route.continue()
    },
    { times: 1 },
  )
  await page.getByRole('button', { name: '保存' }).click()
  await expect(page.getByText('这期间别人改过这条记录')).toBeVisible()
  await expect(page.getByLabel('截止日期')).toHaveValue('2026-04-01')
  await expect(page.getByLabel('内容')).toHaveValue('生日前寄一张手写卡')
  await page.getByRole('button', { name: '保存' }).click()
  await expect(page.getByRole('heading', { level: 1, name: '生日前寄一张手写卡' })).toBeVisible()

  // A file is counted first; rows that do not fit are named and left out.
  await side.getByRole('link', { name: '全部记事' }).click()
  await page.getByRole('button', { name: '更多操作' }).click()
  await page.getByRole('option', { name: '导入记录' }).click()
  const rows = ['内容,状态,截止日期', '回访,open,2026/3/5', '补寄赠品,done,', ',open,']
  await page
    .getByLabel('文件')
    .setInputFiles({ name: 'notes.csv', mimeType: 'text/csv', buffer: Buffer.from(rows.join('\n')) })
  await expect(page.getByText('能新建 2 条，更新 0 条，1 条有问题会跳过。')).toBeVisible()
  await settled(page)
  await checkAccess(page, 'an import')
  await page.getByRole('button', { name: '导入 2 条' }).click()
  await expect(page.getByText('新建了 2 条')).toBeVisible()
  await page.getByRole('dialog').getByRole('button', { name: '关闭' }).last().click()
  await expect(page.getByText('3 条', { exact: true })).toBeVisible()
  await page.getByRole('searchbox', { name: '搜索记录' }).fill('赠品')
  await expect(page.getByText('1 条', { exact: true })).toBeVisible()
  await page.getByRole('checkbox', { name: '选中「补寄赠品」' }).check()
  await page.getByRole('button', { name: '删除' }).click()
  await expect(page.getByText('没有符合条件的记录')).toBeVisible()
  await page.getByRole('button', { name: '撤销' }).click()
  await expect(page.getByRole('link', { name: '补寄赠品' })).toBeVisible()
  await settled(page)
  await checkAccess(page, 'a table')

  // The customer's page shows that customer's records only.
  const { rows: customers } = await api.search({})
  await page.goto(`${huitou.url}/customers/${customers[0]?.id}`)
  const panel = page.getByRole('region', { name: '记事' })
  await expect(panel.getByRole('link')).toHaveText(['生日前寄一张手写卡'])

  // Components of a trusted plugin, drawn by the page's own Vue and with its styles.
  const greeting = page.getByRole('region', { name: '问候语' })
  await expect(greeting.getByText('苏晴，您好')).toBeVisible()
  await expect(greeting.locator('.greeting-card')).toHaveCSS('display', 'flex')
  await page.getByRole('navigation', { name: '功能区' }).getByRole('link', { name: '问候' }).click()
  await page.getByRole('listitem').getByRole('link', { name: '苏晴' }).click()
  await expect(greeting).toBeVisible()

  // A long command out of the palette, then a page of a plugin's own, in English and dark.
  await page.keyboard.press('Control+k')
  await page.keyboard.type('完成所有')
  await page.getByRole('option', { name: '完成所有记事' }).click()
  const open = JSON.stringify({ field: 'state', op: 'is_not', value: 'done' })
  await expect
    .poll(() =>
      api
        .request<{ total: number }>(`${records}?filter=${encodeURIComponent(open)}`)
        .then(({ total }) => total),
    )
    .toBe(0)
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.getByRole('button', { name: 'EN', exact: true }).click()
  await page.getByRole('link', { name: 'Shop window' }).click()
  const frame = page.frameLocator('iframe[title="Shop window"]')
  await expect(frame.getByText('Customers')).toBeVisible()
  await expect(frame.locator('#customers')).toHaveText('1')
  await expect(frame.locator('html')).toHaveAttribute('data-theme', 'dark')
  await page.goto(`${huitou.url}/views/examples.care-notes/board`)
  await expect(page.getByRole('button', { name: '生日前寄一张手写卡' })).toBeVisible()
  await settled(page)
  await checkAccess(page, 'a board in the dark')
})
