import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import { OWNER } from './api.ts'
import { startHuitou } from './huitou-process.ts'
import { heatMap, readCounts, readHeatMap, runImport } from './import-wizard.ts'
import { makeOrderFile } from './order-file.ts'
import { expect, inLocale, locales, test } from './test.ts'

const WORDS = {
  zh: {
    name: '怎么称呼',
    email: '邮箱',
    create: '创建并进入',
    short: '密码至少 10 个字符',
    bring: '导入订单',
    kind: '天猫',
    orderNumber: '订单编号',
    counts: { rows: '行数', orders: '订单', customers: '客户', problems: '问题行' },
    download: '下载 7 行',
    noCustomer: '该行没有可以识别客户的信息',
    scientific: '订单编号被表格软件写成了科学计数法',
    report: '打开「RFM 分层」',
    found: (n: number) => `${n} 位`,
  },
  en: {
    name: 'Your name',
    email: 'Email',
    create: 'Create and go in',
    short: 'At least 10 characters',
    bring: 'Import orders',
    kind: 'Tmall',
    orderNumber: '订单编号',
    counts: { rows: 'Rows', orders: 'Orders', customers: 'Customers', problems: 'Problem rows' },
    download: 'Download 7 rows',
    noCustomer: 'Nothing in the row says who the customer is',
    scientific: 'A spreadsheet has rounded the order number',
    report: 'Open “RFM segments”',
    found: (n: number) => `${n} customer`,
  },
}

// In English the wizard is walked by the import of doubtful files.
for (const locale of locales.filter((each) => each === 'zh-CN')) {
  test.describe(`in ${locale}`, () => {
    test.use({ locale })

    test('from nothing to the RFM heat map of a shop’s own orders', async ({ page }) => {
      test.setTimeout(120_000)
      const words = inLocale(locale, WORDS)
      const file = makeOrderFile(Date.now())
      await using huitou = await startHuitou(page)
      await page.goto(huitou.url)

      await page.getByLabel(words.name).fill(OWNER.name)
      await page.getByLabel(words.email).fill(OWNER.email)
      const password = page.locator('#password')
      await password.fill('too short')
      await page.getByRole('button', { name: words.create }).click()
      await expect(password).toHaveAccessibleDescription(words.short)
      await expect(password).toHaveAttribute('aria-invalid', 'true')
      await password.fill(OWNER.password)
      await page.getByRole('button', { name: words.create }).click()

      await page.getByRole('link', { name: words.bring }).click()
      await page
        .locator('input[type=file]')
        .setInputFiles({ name: file.name, mimeType: 'text/csv', buffer: file.content })
      await expect(page.locator('.callout-accent')).toContainText(words.kind)
      await expect(page.locator('.callout-accent')).toContainText(/GB/i)
      await expect(page.locator('.columns-list')).toContainText(words.orderNumber)
      await expect(page.getByRole('combobox', { name: words.orderNumber, exact: true })).toHaveValue(
        'order_id',
      )

      await expect
        .poll(() => readCounts(page), { timeout: 30_000 })
        .toMatchObject({
          [words.counts.rows]: String(file.rows),
          [words.counts.orders]: String(file.orders),
          [words.counts.customers]: String(file.customers),
          [words.counts.problems]: String(file.problems.noCustomer.length + file.problems.scientific.length),
        })
      const problems = page.locator('.problem-table')
      await expect(problems.getByRole('row', { name: words.noCustomer })).toContainText('3')
      await expect(problems.getByRole('row', { name: words.scientific })).toContainText('4')
      const downloading = page.waitForEvent('download')
      await page.getByRole('link', { name: words.download }).click()
      const rows = parse(readFileSync(await (await downloading).path()), { columns: true, bom: true }) as {
        row: string
        code: string
      }[]
      const rowsOf = (code: string) => rows.filter((row) => row.code === code).map((row) => Number(row.row))
      expect(rowsOf('E_ROW_NO_CUSTOMER')).toEqual(file.problems.noCustomer)
      expect(rowsOf('E_ROW_ID_SCIENTIFIC')).toEqual(file.problems.scientific)

      await runImport(page, locale, 30_000)
      // Customers are scored a moment after the last row.
      await expect
        .poll(async () => (await page.reload(), await heatMap(page).waitFor(), readHeatMap(page)), {
          timeout: 30_000,
        })
        .toEqual(file.grid)
      await page.getByRole('link', { name: words.report }).click()
      await expect.poll(() => readHeatMap(page)).toEqual(file.grid)

      const most = Math.max(...file.grid.flat())
      await heatMap(page)
        .locator('a.cell')
        .filter({ hasText: String(most) })
        .first()
        .click()
      await expect(page).toHaveURL(/\/customers\?rule=/)
      await expect(page.locator('.toolbar').filter({ visible: true })).toContainText(words.found(most))
    })
  })
}
