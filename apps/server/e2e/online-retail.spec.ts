import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setUpOwner } from './api.ts'
import { startHuitou } from './huitou-process.ts'
import { heatMap, readHeatMap, runImport } from './import-wizard.ts'
import { expect, test } from './test.ts'

const folder = path.resolve(import.meta.dirname, '../../../../shared/data')

interface Published {
  valid: { customers: number }
  rfm_ntile: Record<'R' | 'F', Record<string, { customers: number }>>
}

test('a gift shop’s year by the wizard gives the published heat map', async ({ page, context }) => {
  test.skip(!existsSync(folder), 'the published data sets are not beside this repository')
  test.setTimeout(240_000)
  const expected = JSON.parse(
    readFileSync(path.join(folder, 'expected/online_retail_public.json'), 'utf8'),
  ) as Published
  await using huitou = await startHuitou(page)
  const api = await setUpOwner(huitou.url)
  await context.addCookies([{ ...api.cookie, url: huitou.url }])
  await page.goto(`${huitou.url}/imports/new`)
  await page
    .locator('input[type=file]')
    .setInputFiles(path.join(folder, 'online_retail/online_retail_public.csv.gz'))
  await runImport(page, 'zh-CN', 180_000)
  await api.scored(expected.valid.customers, 60_000)
  await page.goto(`${huitou.url}/reports/rfm.rfm`)
  await heatMap(page).waitFor()
  const grid = await readHeatMap(page)
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
  expect(sum(grid.flat())).toBe(expected.valid.customers)
  expect(grid.map(sum)).toEqual([5, 4, 3, 2, 1].map((score) => expected.rfm_ntile.F[score]?.customers))
  expect([0, 1, 2, 3, 4].map((at) => sum(grid.map((row) => row[at] ?? 0)))).toEqual(
    [1, 2, 3, 4, 5].map((score) => expected.rfm_ntile.R[score]?.customers),
  )
})
