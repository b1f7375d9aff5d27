import { evaluateWhen } from '@huitou/plugin-api'
import type { When, WhenScope } from '@huitou/plugin-api'

/** Whether a `when`, which the server has read, holds; nothing asked always does. */
export function holds(when: When | null, scope: WhenScope): boolean {
  return when === null || evaluateWhen(when, scope)
}
