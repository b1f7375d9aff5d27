import { createHmac } from 'node:crypto'
import { expect, test, watchErrors } from './test.ts'

test.use({ locale: 'zh-CN' })

/** RFC 6238 with the defaults of every authenticator app. */
function totp(secret: string): string {
  const bits = [...secret].map((char) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'),
  )
  const bytes =
    bits
      .join('')
      .match(/.{8}/g)
      ?.map((byte) => Number.parseInt(byte, 2)) ?? []
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const digest = createHmac('sha1', Buffer.from(bytes)).update(counter).digest()
  const offset = (digest.at(-1) ?? 0) & 15
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

test('a colleague is asked in, sees what the role opens, and signs in with a second factor', async ({
  page,
  shop,
  browser,
}) => {
  await page.goto('/settings/people')
  await page.getByRole('button', { name: '添加同事' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('姓名').fill('测试客服')
  await dialog.getByLabel('邮箱').fill('agent@example.com')
  await dialog.getByRole('radio', { name: /客服/ }).check()
  await dialog.getByRole('button', { name: '添加同事' }).click()
  const oneTime = await page.getByRole('status').locator('code').textContent()

  const context = await browser.newContext({ locale: 'zh-CN', baseURL: shop.url })
  const agent = await context.newPage()
  const errors = watchErrors(agent)
  const signIn = async (password: string) => {
    await agent.getByLabel('邮箱').fill('agent@example.com')
    await agent.getByLabel('密码', { exact: true }).fill(password)
    await agent.getByRole('button', { name: '登录', exact: true }).click()
  }
  await agent.goto('/sign-in')
  await signIn(oneTime ?? '')
  // Nothing else opens before the password is the colleague's own.
  await expect(agent.getByText('请先设置自己的密码')).toBeVisible()
  await agent.getByLabel('收到的一次性密码').fill(oneTime ?? '')
  await agent.getByLabel('新密码').fill('a password of my own')
  await agent.getByRole('button', { name: '修改密码' }).click()
  await expect(agent.getByRole('heading', { name: '工作台' }).first()).toBeVisible()
  const areas = agent.locator('nav.activity')
  await expect(areas.getByRole('link', { name: '客户' })).toBeVisible()
  await expect(areas.getByRole('link', { name: '旅程' })).toHaveCount(0)
  await agent.goto('/journeys')
  await expect(agent.getByRole('heading', { name: '你没有权限查看此页' }).first()).toBeVisible()

  await agent.goto('/settings/account')
  await agent.getByRole('button', { name: '开始设置' }).click()
  const card = agent.getByRole('region', { name: '两步验证' })
  await card.getByLabel('当前密码').fill('a password of my own')
  await card.getByRole('button', { name: '开始设置' }).click()
  const secret = (await card.locator('.two-factor-secret').textContent()) ?? ''
  await card.getByLabel('验证码').fill(totp(secret))
  await card.getByRole('button', { name: '确认' }).click()
  await expect(card.getByText('已开启')).toBeVisible()
  await agent.getByRole('button', { name: '退出登录' }).click()
  await signIn('a password of my own')
  await agent.getByLabel('验证码').fill(totp(secret))
  await agent.getByRole('button', { name: '登录', exact: true }).click()
  await expect(agent.getByRole('heading', { name: '工作台' }).first()).toBeVisible()
  expect(errors).toEqual([])
  await context.close()

  // What programs sign in with is shown once, and works.
  await page.goto('/settings/keys')
  await page.getByRole('textbox', { name: '名称', exact: true }).fill('小程序')
  await page.getByRole('button', { name: '创建密钥' }).click()
  const made = page.getByRole('status').filter({ hasText: '小程序' })
  const key = (await made.locator('code').textContent()) ?? ''
  const sent = await page.request.post('/v1/track', {
    headers: { Authorization: `Basic ${btoa(`${key.trim()}:`)}` },
    data: { event: 'e2e.keys', userId: 'nobody', messageId: 'e2e-keys' },
  })
  expect(sent.status()).toBe(200)
  await made.getByRole('button', { name: '关闭' }).click()
  await expect(page.getByText(key.trim())).toHaveCount(0)
})
