import { browser } from './browser.ts'
import { format, lint, published, types, unused } from './checks.ts'
import type { Suite } from './tally.ts'
import { unit } from './unit.ts'

/** Every suite of `npm test`, in the order they run: cheap and clear ones first. */
export const suites: Suite[] = [lint, format, types, unused, published, unit, browser]
