import { checkAccess } from './accessible.ts'
import { settled } from './settled.ts'
import { expect, test } from './test.ts'

test.use({ viewport: { width: 1280, height: 860 }, locale: 'en', colorScheme: 'light' })

test('a proposal becomes a row, is changed, and goes on and off', async ({ page, shop }) => {
  const rows = async () => {
    const { journeys } = await shop.request<{
      journeys: { name: string; state: string; parameters: Record<string, unknown> }[]
    }>('/api/journeys/from-template?template=huitou.playbook/row')
    return journeys.map(({ name, state, parameters }) => ({ name, state, waits: parameters['waitMinutes'] }))
  }
  await page.goto('/views/huitou.playbook/playbook')
  await page.getByRole('button', { name: 'Add: Looked at something' }).click()
  await expect(page.getByRole('link', { name: 'Looked at something' })).toBeVisible()

  await page.getByRole('button', { name: /^after 240 min/ }).click()
  await page.getByLabel('Wait (minutes)').fill('15')
  await settled(page)
  await checkAccess(page, 'playbook, a row under edit')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('button', { name: /^after 15 min/ })).toBeVisible()

  const on = page.getByRole('switch', { name: 'On: Looked at something' })
  for (const state of ['live', 'paused', 'live', 'paused']) {
    await on.click()
    await expect.poll(rows).toContainEqual({ name: 'Looked at something', state, waits: 15 })
  }
  await settled(page)
  await checkAccess(page, 'playbook, a row that was on')
})
