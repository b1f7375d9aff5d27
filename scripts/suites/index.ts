import { browser } from './browser.ts'
import { format, lint, unused } from './checks.ts'
import type { Suite } from './tally.ts'
import { types } from './typed-programs.ts'
import { unit } from './unit.ts'

/** Every suite of `npm test`, in the order they run: cheap and clear ones first. */
export const suites: Suite[] = [types, lint, format, unused, unit, browser]
