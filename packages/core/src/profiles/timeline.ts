import type { StoredEvent } from '../events/read.ts'
import type { Definitions } from './definitions.ts'
import { toMinorUnits } from './money.ts'

/** How one event stands on the timeline. */
export interface TimelineRow {
  name: string
  value: number | null
  fact_key: string | null
  version: number
}

/** Canonical names of the calls that carry no event name. */
const CALL_NAMES: Record<string, string> = {
  identify: 'profile.updated',
  page: 'page.viewed',
  screen: 'screen.viewed',
  group: 'group.joined',
  alias: 'profile.aliased',
}

/** Reads an event by the type a plugin declared for it; an undeclared one stands under its own name. */
export function toTimelineRow(event: StoredEvent, { eventTypes, brand, digits }: Definitions): TimelineRow {
  const name =
    event.name !== null && event.type !== 'page' && event.type !== 'screen'
      ? event.name
      : CALL_NAMES[event.type]
  const type = eventTypes.get(name ?? '')
  const version = event.version
  if (!type) return { name: name ?? event.type, value: null, fact_key: null, version }
  const properties = event.body.properties ?? {}
  return {
    name: type.name,
    value: type.value
      ? toValue(properties, {
          property: type.value,
          money: type.valueType === 'money',
          currency: brand.currency,
          digits,
        })
      : null,
    fact_key: type.key ? toFactKey(type.name, type.key, properties) : null,
    version,
  }
}

/** Two versions of one fact have the same key. An event that lacks a part it needs is a fact of its own. */
function toFactKey(
  name: string,
  parts: readonly string[],
  properties: Record<string, unknown>,
): string | null {
  let key = name
  for (const part of parts) {
    const optional = part.endsWith('?')
    const value = properties[optional ? part.slice(0, -1) : part]
    const missing = value === undefined || value === null || value === ''
    if (missing && !optional) return null
    key += `|${missing ? '' : String(value)}`
  }
  return key
}

function toValue(
  properties: Record<string, unknown>,
  {
    property,
    money,
    currency,
    digits,
  }: { property: string; money: boolean; currency: string; digits: number },
): number | null {
  const value = properties[property]
  if (!money) {
    const number =
      typeof value === 'number'
        ? value
        : typeof value === 'string' && value.trim() !== ''
          ? Number(value)
          : Number.NaN
    return Number.isFinite(number) ? number : null
  }
  // Yuan and dollars do not add up: what came in another currency counts as an event, not as money.
  const given = properties['currency']
  if (typeof given === 'string' && given !== '' && given.toUpperCase() !== currency) return null
  return toMinorUnits(value, digits) ?? null
}
