import { AppError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { SecretBox } from './accounts.ts'
import type { ContentRenderer } from '../journeys/variables.ts'
import type { ContactPolicy } from './policy.ts'

/** What deliveries work with. */
export interface DeliveryContext extends Pick<
  CoreContext,
  'database' | 'clock' | 'points' | 'log' | 'brand'
> {
  /** The contact policy as it is now. */
  policy(): Promise<ContactPolicy>
  render: ContentRenderer
  box: SecretBox
}

/** How long a call of a channel may take. */
export const CALL_MS = 60_000
/** How long a row belongs to the worker that took it: longer than any call. */
export const LEASE_MS = 120_000
/** One message is tried this often, if it is the message that fails and not the whole channel. */
export const ATTEMPTS = 8

/** When a message that failed for the `attempt`th time is tried again. */
export function backOff(attempt: number): number {
  return Math.min(30_000 * 4 ** (attempt - 1), 3_600_000)
}

/** Settings that a channel is called with. */
export function openSettings(box: SecretBox, settings: string): Record<string, unknown> {
  return settings === '' ? {} : (JSON.parse(box.open(settings)) as Record<string, unknown>)
}

/** Errors of whoever runs a plugin: the call was cut off, and how far it had come nobody knows. */
const LOST = new Set([
  'E_DEADLINE',
  'E_PLUGIN_CRASHED',
  'E_PLUGIN_HANGS',
  'E_PLUGIN_MESSAGE',
  'E_PLUGIN_REPLACED',
  'E_PLUGIN_STOPPED',
  'E_BUDGET_EFFECTS',
  'E_BUDGET_MEMORY',
  'E_BUDGET_MESSAGES',
])

/** Whether a call that ended so may have done its work all the same. Any other error says that it did not. */
export function isLost(error: unknown): boolean {
  if (error instanceof AppError) return LOST.has(error.code)
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
}
