import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createSigningKey, type SigningKey } from '@huitou/plugin-host/install'
import { packTestPlugin } from '../test/plugin-package.ts'
import { checkAccess } from './accessible.ts'
import { setUpOwner } from './api.ts'
import { startHuitou } from './huitou-process.ts'
import { settled } from './settled.ts'
import { smallShop } from './small-shop.ts'
import { expect, test } from './test.ts'

const BROKEN = "export default { activate() { throw new Error('水还没开') } }"

/** A folder of packages as a brand keeps it; it goes away with its scope. */
function openRegistry() {
  const dir = mkdtempSync(path.join(tmpdir(), 'huitou-registry-'))
  return {
    dir,
    async publish(version: string, key: SigningKey, code?: string) {
      const permissions = { 'profile.read': ['event_count'], network: ['api.tea.example'] }
      const bytes = await packTestPlugin({
        version,
        key,
        permissions: version === '1.0.0' ? { 'profile.read': ['event_count'] } : permissions,
        files: { 'README.md': '# 茶友\n\n谁最爱茶。\n' },
        manifest: { displayName: '茶友', description: '客户对茶有多热情', icon: 'heart' },
        ...(code ? { code } : {}),
      })
      writeFileSync(path.join(dir, `tea-${version}.tgz`), bytes)
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}

test('an extension is found, agreed to, upgraded, taken back and uninstalled', async ({ page, context }) => {
  test.setTimeout(150_000)
  using registry = openRegistry()
  const key = createSigningKey('acme')
  await registry.publish('1.0.0', key)
  await using huitou = await startHuitou(page)
  const api = await setUpOwner(huitou.url)
  const { events, buyers } = smallShop(Date.now())
  await api.send(events)
  await context.addCookies([{ ...api.cookie, url: huitou.url }])
  const side = page.getByRole('complementary').first()
  const dialog = page.getByRole('dialog')

  await test.step('a folder becomes a registry, and what lies in it is found', async () => {
    await page.goto(`${huitou.url}/extensions/registries`)
    await page.getByRole('radio', { name: '文件夹' }).click()
    await page.getByLabel('名称', { exact: true }).fill('公司内部')
    await page.getByLabel('服务器上的文件夹').fill(registry.dir)
    await page.getByRole('button', { name: '添加', exact: true }).click()
    await page.getByPlaceholder('搜已装的和可装的').fill('热情')
    await side.getByRole('link', { name: /茶友/ }).click()
    await page.getByRole('tab', { name: /权限/ }).click()
    await expect(page.getByText('读取客户画像')).toBeVisible()
    await checkAccess(page, 'available')
    await page.getByRole('button', { name: '安装', exact: true }).click()
    await expect(page.getByText('已安装「茶友」1.0.0')).toBeVisible()
    await page.getByPlaceholder('搜已装的和可装的').fill('')
  })

  await test.step('it runs once the owner knows who made it and agrees to what it asks for', async () => {
    await page.getByRole('button', { name: '启用', exact: true }).click()
    await expect(dialog.getByText('签名者「acme」还不在信任名单里')).toBeVisible()
    await expect(dialog.getByText(key.keyId)).toBeVisible()
    const agree = dialog.getByRole('button', { name: '同意并启用' })
    await expect(agree).toBeDisabled()
    await checkAccess(page, 'consent')
    await dialog.getByLabel(/指纹核对无误/).check()
    await agree.click()
    await expect(page.getByRole('button', { name: '停用', exact: true })).toBeVisible()
    await expect(page.getByText('签名已验证').first()).toBeVisible()
  })

  await test.step('its scores are a column, its labels are segments', async () => {
    const scored = () => api.count({ all: [{ column: 'tea_level', op: 'is_set' }] })
    await expect
      .poll(scored, { timeout: 60_000, message: 'customers with labels' })
      .toBeGreaterThanOrEqual(buyers)
    await page.goto(`${huitou.url}/segments`)
    await expect(side.getByRole('link', { name: 'Friend' })).toBeVisible()
  })

  await test.step('a version that does not start is taken back, with the reason', async () => {
    await registry.publish('1.1.0', key, BROKEN)
    await page.goto(`${huitou.url}/extensions/acme.tea?tab=versions`)
    await side.getByRole('button', { name: '更多' }).click()
    await page.getByRole('menuitem', { name: '检查更新' }).click()
    await page.getByRole('button', { name: '升级到 1.1.0' }).first().click()
    await expect(dialog.getByText('1.1.0 多要 1 项权限')).toBeVisible()
    await expect(dialog.getByText('api.tea.example')).toBeVisible()
    await checkAccess(page, 'upgrade')
    await dialog.getByRole('button', { name: '同意并升级' }).click()
    await expect(dialog.getByText('1.1.0 没能启动，已自动退回，现在用的还是 1.0.0。')).toBeVisible()
    await expect(dialog.getByText('水还没开')).toBeVisible()
    await dialog.getByRole('button', { name: '留在 1.0.0' }).click()
    await expect(page.getByText('「茶友」的升级已退回，现在用的是 1.0.0')).toBeVisible()
    const { version, state } = await api.request<{ version: string; state: string }>('/api/plugins/acme.tea')
    expect([version, state === 'active' || state === 'enabled']).toEqual(['1.0.0', true])
  })

  await test.step('uninstalling says what it owns, and hands it over', async () => {
    await page.getByRole('button', { name: '更多' }).last().click()
    await page.getByRole('menuitem', { name: /卸载/ }).click()
    await expect(dialog.getByText('tea_warmth')).toBeVisible()
    await settled(page)
    await checkAccess(page, 'uninstall')
    await dialog.getByLabel(/导出后清除/).check()
    const go = dialog.getByRole('button', { name: '卸载', exact: true })
    await expect(go).toBeDisabled()
    await dialog.getByLabel('输入 acme.tea 确认').fill('acme.tea')
    const download = page.waitForEvent('download')
    await go.click()
    const lines = gunzipSync(readFileSync(await (await download).path()))
      .toString('utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string })
    expect(lines.filter(({ type }) => type === 'customer').length).toBeGreaterThanOrEqual(buyers)
    await expect(side.getByRole('link', { name: /茶友/ })).toHaveAttribute('href', /available/)
    const { columns } = await api.request<{ columns: { name: string }[] }>('/api/columns')
    expect(columns.map(({ name }) => name)).not.toContain('tea_warmth')
  })
})
