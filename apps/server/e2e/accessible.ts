import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect } from './test.ts'

/** Expects axe to find nothing serious on a page, by all of its rules or by `rules`. */
export async function checkAccess(page: Page, name: string, rules?: string[]): Promise<void> {
  await still(page)
  // Legacy is what adds up a page with frames in the page itself, not in a second one. Here, no page has frames.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] })
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze()
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect
    .soft(
      grave.map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 160))]),
      `${name}: axe`,
    )
    .toEqual([])
}

/** Waits until nothing fades in or out: half seen, a text has not its own colour. What turns for ever is let be. */
export async function still(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const moving = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY)
    await Promise.allSettled(moving.map(({ finished }) => finished))
  })
}
