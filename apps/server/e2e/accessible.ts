import type { Page } from '@playwright/test'
import axe from 'axe-core'
import { expect } from './test.ts'

/** Expects axe to find nothing serious on a page, by all of its rules or by `rules`. */
export async function checkAccess(page: Page, name: string, rules?: string[]): Promise<void> {
  await still(page)
  // Once a document: most pages of the app follow each other in the same one.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source)
  const found = await page.evaluate(axeFindings, rules)
  expect.soft(found, `${name}: axe`).toEqual([])
}

/** Rules that are broken gravely, each with where. Runs in the browser, where `axe` is. */
async function axeFindings(rules: string[] | undefined) {
  const { violations } = await (window as unknown as { axe: typeof axe }).axe.run({
    resultTypes: ['violations'],
    // No page has frames of its own origin, and asking after others takes long.
    iframes: false,
    ...(rules && { runOnly: rules }),
  })
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 160))])
}

/** Waits until nothing fades in or out: half seen, a text has not its own colour. What turns for ever is let be. */
async function still(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const moving = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY)
    await Promise.allSettled(moving.map(({ finished }) => finished))
  })
}
