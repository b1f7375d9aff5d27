import type { DeliveryResult } from '@huitou/plugin-api'

/** The connection was never made. */
const unreachable = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
/** Nothing was asked at all. */
const notAsked = new Set(['E_PERMISSION', 'E_FETCH_PRIVATE', 'E_FETCH_REQUEST', 'E_FETCH_BUSY'])

/** What became of a message whose call failed: once the request may have arrived, nobody knows. */
export function resultOfFailure(key: string, error: unknown): DeliveryResult {
  const {
    code = 'ERROR',
    message = String(error),
    details,
  } = (error ?? {}) as {
    code?: string
    message?: string
    details?: { reason?: string }
  }
  return notAsked.has(code) || unreachable.has(details?.reason ?? '')
    ? { key, outcome: 'failed', code, message }
    : { key, outcome: 'unknown', message }
}
