import { readCounts } from './import-wizard.ts'
import { expect, inLocale, locales, test } from './test.ts'

const WORDS = {
  zh: {
    kind: '其他订单文件',
    heading: '根据相近的表头推测',
    days: '无法从日期中区分日和月的先后',
    orders: '订单',
    problems: '问题行',
    noCustomer: '该行没有可以识别客户的信息',
    anonymous: '作为匿名订单导入',
    amount: '金额无法识别',
    leaveOut: '跳过整笔订单',
  },
  en: {
    kind: 'Other orders',
    heading: 'The heading resembles this field',
    days: 'Day and month cannot be told apart',
    orders: 'Orders',
    problems: 'Problem rows',
    noCustomer: 'Nothing in the row says who the customer is',
    anonymous: 'Import as an anonymous order',
    amount: 'The amount cannot be read',
    leaveOut: 'Leave the order out',
  },
}

const rows = Array.from({ length: 12 }, (_, at) => [
  `A${at}`,
  at === 11 ? '' : `guest-${at}`,
  `0${1 + (at % 9)}/04/2026`,
  at === 10 ? 'twelve' : `${10 + at}.50`,
  'Cup',
])
const content = ['Order number,Customer id,Order date,Total amount paid,Product name', ...rows, ''].join('\n')

for (const locale of locales) {
  test.describe(`in ${locale}`, () => {
    test.use({ locale })

    test('guesses are told as doubts, and what happens to problem rows can be chosen', async ({
      page,
      shop,
    }) => {
      const words = inLocale(locale, WORDS)
      await page.goto(`${shop.url}/imports/new`)
      await page
        .locator('input[type=file]')
        .setInputFiles({ name: 'orders.csv', mimeType: 'text/csv', buffer: Buffer.from(content) })
      // The brand reads Chinese; what the plugin says follows whoever reads.
      await expect(page.locator('.callout-accent')).toContainText(words.kind)
      const doubts = page.locator('.column.doubt')
      await expect(doubts).toHaveCount(2)
      await expect(page.getByRole('combobox', { name: 'Total amount paid' })).toHaveAccessibleDescription(
        words.heading,
      )
      await expect(doubts.filter({ hasText: 'Order date' })).toContainText(words.days)

      const shows = (orders: number, problemRows: number) =>
        expect
          .poll(() => readCounts(page))
          .toMatchObject({ [words.orders]: String(orders), [words.problems]: String(problemRows) })
      await shows(11, 1)
      const problems = page.locator('.problem-table')
      const choose = (problem: string, choice: string) =>
        problems.getByRole('combobox', { name: problem }).selectOption({ label: choice })
      await choose(words.noCustomer, words.anonymous)
      await shows(12, 0)
      await choose(words.amount, words.leaveOut)
      await shows(11, 1)
      await expect(problems.getByRole('combobox', { name: words.noCustomer })).toHaveValue('1')
    })
  })
}
