import { expect, type Locator, type Page } from '@playwright/test'
import { inLocale, type Locale } from './test.ts'

/** Figures of a dry run or a finished import by their title. */
export async function readCounts(page: Page): Promise<Record<string, string>> {
  const pairs = await page
    .locator('.counts > div')
    .evaluateAll((tiles) =>
      tiles.map((tile) => [
        tile.querySelector('dt')?.textContent ?? '',
        tile.querySelector('dd')?.textContent ?? '',
      ]),
    )
  return Object.fromEntries(pairs) as Record<string, string>
}

/** Waits for the dry run and starts the import; resolves when its result is shown. */
export async function runImport(page: Page, locale: Locale, timeout: number): Promise<void> {
  await expect(page.getByText(inLocale(locale, { zh: '试跑完成', en: 'Dry run done' }))).toBeVisible({
    timeout,
  })
  await page
    .getByRole('button', { name: inLocale(locale, { zh: '开始导入', en: 'Start the import' }) })
    .click()
  await expect(page.locator('.steps [aria-current="step"]')).toContainText(
    inLocale(locale, { zh: '结果', en: 'Result' }),
    { timeout },
  )
}

export function heatMap(page: Page): Locator {
  return page.locator('table.heat')
}

/** Figures of a heat map, row by row. */
export async function readHeatMap(page: Page): Promise<number[][]> {
  const rows = await heatMap(page)
    .locator('tbody tr')
    .evaluateAll((all) =>
      all.map((row) => [...row.querySelectorAll('td .cell b')].map((figure) => figure.textContent)),
    )
  return rows.map((row) => row.map((text) => Number(text.replaceAll(',', ''))))
}
