import type { PropertyFilter } from './definition.ts'

/** Whether properties of an event fit all filters. A property that is absent fits only `is_not_set` and negations. */
export function fitsAll(
  properties: Readonly<Record<string, unknown>>,
  filters: readonly PropertyFilter[] | undefined,
): boolean {
  return (filters ?? []).every((filter) => fits(valueAt(properties, filter.property), filter))
}

/** The value under a name, or deeper under a path with dots. */
export function valueAt(properties: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(properties, name)) return properties[name]
  let value: unknown = properties
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string, unknown>)[part]
  }
  return value
}

function fits(actual: unknown, { op, value }: PropertyFilter): boolean {
  const isSet = actual !== undefined && actual !== null && actual !== ''
  switch (op) {
    case 'is_set':
      return isSet
    case 'is_not_set':
      return !isSet
    case 'is':
      return isSet && isSame(actual, value)
    case 'is_not':
      return !isSet || !isSame(actual, value)
    case 'in':
      return isSet && Array.isArray(value) && value.some((each) => isSame(actual, each))
    case 'not_in':
      return !isSet || !Array.isArray(value) || !value.some((each) => isSame(actual, each))
    case 'contains':
      return isSet && String(actual).includes(String(value))
    case 'not_contains':
      return !isSet || !String(actual).includes(String(value))
    case 'starts_with':
      return isSet && String(actual).startsWith(String(value))
    case 'true':
      return actual === true || actual === 'true' || actual === 1
    case 'false':
      return actual === false || actual === 'false' || actual === 0
    default:
      return isSet && compare(Number(actual), op, Number(value))
  }
}

function compare(actual: number, op: 'gt' | 'gte' | 'lt' | 'lte', wanted: number): boolean {
  if (op === 'gt') return actual > wanted
  if (op === 'gte') return actual >= wanted
  return op === 'lt' ? actual < wanted : actual <= wanted
}

function isSame(actual: unknown, wanted: unknown): boolean {
  return actual === wanted || String(actual) === String(wanted)
}
