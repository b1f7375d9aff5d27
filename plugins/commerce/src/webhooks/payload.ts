import { findDecimal, toMinor } from '../money.ts'
import type { OrderItem } from '../orders.ts'

/** A JSON object from outside, of which nothing is known yet. */
export type Payload = Record<string, unknown>

/** The body as a JSON object, or undefined when it is none. */
export function findPayload(body: Uint8Array): Payload | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return isPayload(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isPayload(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object under `key`, empty when there is none. */
export function part(payload: Payload, key: string): Payload {
  const value = payload[key]
  return isPayload(value) ? value : {}
}

/** The objects of the list under `key`. */
export function list(payload: Payload, key: string): Payload[] {
  const value = payload[key]
  return Array.isArray(value) ? value.filter(isPayload) : []
}

/** Text or number under `key` as trimmed text; undefined when empty. */
export function text(payload: Payload, key: string): string | undefined {
  const value = payload[key]
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

/** An ISO time under `key`; without a zone it counts as UTC. */
export function time(payload: Payload, key: string): number | undefined {
  const value = text(payload, key)
  if (value === undefined) return undefined
  const parsed = Date.parse(/(z|[+-]\d{2}:?\d{2})$/i.test(value) ? value : `${value}Z`)
  return Number.isNaN(parsed) ? undefined : parsed
}

/** An amount under `key` in minor units. */
export function money(payload: Payload, key: string, currency: string): number | undefined {
  const value = findDecimal(text(payload, key))
  return value && toMinor(value, currency)
}

/** Items, the most valuable first. */
export function sortItems(items: OrderItem[]): OrderItem[] {
  return items.sort(
    (a, b) => (b.total ?? 0) - (a.total ?? 0) || ((a.sku ?? a.name ?? '') < (b.sku ?? b.name ?? '') ? -1 : 1),
  )
}

/** `record` without the keys that hold nothing. */
export function filled(record: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
