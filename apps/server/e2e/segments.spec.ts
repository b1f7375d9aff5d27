import { expect, test } from './test.ts'

test.use({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' })

const RULE = {
  all: [
    { column: 'commerce_orders', op: 'gte', value: 2 },
    { column: 't_city', op: 'in', value: ['杭州', '上海'] },
    { not: { column: 'rfm_segment', op: 'in', value: ['lost'] } },
  ],
}

test('a segment is built by mouse, explained, changed and deleted', async ({ page, shop }) => {
  const wanted = await shop.count(RULE)
  await page.goto('/segments/new')
  const option = (name: string | RegExp) => page.getByRole('option', { name }).first()
  const live = page.locator('.live b')

  await page.getByRole('button', { name: '再加一句' }).click()
  await option(/^订单数/).click()
  await page.getByRole('spinbutton', { name: '订单数 的值' }).fill('2')
  await expect(live).toHaveText(String(await shop.count({ all: RULE.all.slice(0, 1) })))

  await page.getByRole('button', { name: '再加一句' }).click()
  await page.getByRole('combobox').last().fill('城市')
  await option(/^城市/).click()
  await page.getByRole('button', { name: /城市 的值/ }).click()
  await option('杭州').click()
  await option('上海').click()
  await page.keyboard.press('Escape')
  await expect(live).toHaveText(String(await shop.count({ all: RULE.all.slice(0, 2) })))

  await page.getByRole('button', { name: '排除' }).click()
  await page.getByRole('combobox').last().fill('RFM 分层')
  await option(/^RFM 分层/).click()
  await page.getByRole('button', { name: /RFM 分层 的值/ }).click()
  await option('已流失').click()
  await page.keyboard.press('Escape')
  await expect(live).toHaveText(String(wanted))
  await expect(page.locator('.cond .join').last()).toHaveText('但不要')

  await page.getByPlaceholder('给人群起个名字').fill('江浙沪回头客')
  await page.getByRole('button', { name: '保存', exact: true }).click()
  await expect(page).toHaveURL(/\/segments\/(?!new)/)
  await expect(page.getByRole('tab', { name: /^客户/ })).toContainText(String(wanted))
  await expect(page.locator('.activity ~ *').getByRole('link', { name: /江浙沪回头客/ })).toContainText(
    String(wanted),
  )

  const inside = (await shop.search({ rule: RULE })).rows[0]
  const outside = (await shop.search({ rule: { all: [{ column: 't_city', op: 'in', value: ['成都'] }] } }))
    .rows[0]
  await explain(inside?.name ?? '')
  await expect(page.locator('.verdict b')).toHaveText('在')
  await explain(outside?.name ?? '')
  await expect(page.locator('.verdict b')).toHaveText('不在')
  await expect(page.locator('.why .is-bad')).toContainText(['成都'])

  await page.getByRole('spinbutton', { name: '订单数 的值' }).fill('3')
  const fewer = await shop.count({ all: [{ ...RULE.all[0], value: 3 }, ...RULE.all.slice(1)] })
  await expect(live).toHaveText(String(fewer))
  await expect(page.locator('.toolbar').filter({ visible: true })).toContainText('有未保存的修改')
  await expect(page.locator('[aria-label="有未保存的修改"]').first()).toBeVisible()
  await page.getByRole('button', { name: '放弃修改' }).click()
  await expect(live).toHaveText(String(wanted))

  await page.getByRole('button', { name: '删除', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: '删除' }).click()
  await expect(page).toHaveURL(/\/segments$/)
  const { segments } = await shop.request<{ segments: { name: string }[] }>('/api/segments')
  expect(segments.map(({ name }) => name)).not.toContain('江浙沪回头客')

  async function explain(name: string) {
    await page
      .locator('.details')
      .getByRole('button', { name: /选一位客户|[^ ]/ })
      .filter({ has: page.locator('.muted, span') })
      .last()
      .click()
    await page.getByRole('combobox').last().fill(name)
    await option(name).click()
  }
})

test('a segment is built with the keyboard alone', async ({ page, shop }) => {
  await page.goto('/segments/new')
  await page.getByRole('button', { name: '再加一句' }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('combobox').last()).toBeFocused()
  await page.keyboard.type('订单数')
  await expect(page.getByRole('option').first()).toContainText('订单数')
  await page.keyboard.press('Enter')
  const orders = page.getByRole('spinbutton', { name: '订单数 的值' })
  await orders.focus()
  await page.keyboard.type('4')
  await expect(orders).toHaveValue('4')
  await expect(page.locator('.live b')).toHaveText(
    String(await shop.count({ all: [{ column: 'commerce_orders', op: 'gte', value: 4 }] })),
  )
  await page.getByPlaceholder('给人群起个名字').focus()
  await page.keyboard.type('键盘建的')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/segments\/(?!new)/)

  await page.keyboard.press('Control+k')
  await expect(page.getByPlaceholder('找页面、客户、人群、命令')).toBeFocused()
  await page.keyboard.type('不能失去')
  await expect(page.getByRole('option', { name: /不能失去/ })).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: '不能失去' })).toBeVisible()
  await page.locator('body').press('?')
  await expect(page.getByRole('dialog', { name: '快捷键' })).toContainText('搜索与命令')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
})
