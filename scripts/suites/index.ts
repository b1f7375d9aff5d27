import { browser } from './browser.ts'
import { lint, published, types, unused } from './checks.ts'
import type { Suite } from './tally.ts'
import { unit } from './unit.ts'

/** Every suite of `npm test`, in the order they run: cheap and clear ones first. */
export const suites: Suite[] = [lint, types, unused, published, unit, browser]
