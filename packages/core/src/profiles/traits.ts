import type { StoredEvent } from '../events/read.ts'

/** Value, time and message id of the event that said so: the latest wins. NULL takes a trait away. */
export type TraitValue = [value: string | null, ts: number, messageId: string]

const KEY_LIMIT = 100
const VALUE_LIMIT = 1_000
/** Parts of Segment's nested address, by the trait they become. */
const ADDRESS_PARTS: Record<string, string> = {
  street: 'address',
  city: 'city',
  state: 'province',
  province: 'province',
  country: 'country',
  postalCode: 'postal_code',
}
/** Spellings of one trait, so that a phone does not stand in two columns. */
const SAME: Record<string, string> = {
  mobile: 'phone',
  unionId: 'union_id',
  unionid: 'union_id',
  firstName: 'first_name',
  lastName: 'last_name',
  createdAt: 'created_at',
  state: 'province',
  region: 'province',
}

/** Traits that an event sets, as text; nested objects are flattened, arrays joined. */
export function* traitsOf(event: StoredEvent): Generator<[key: string, value: string | null]> {
  const traits = event.body.traits
  if (traits) {
    for (const [key, value] of Object.entries(traits)) {
      if (key === 'address' && typeof value === 'object' && value !== null) {
        for (const [part, trait] of Object.entries(ADDRESS_PARTS)) {
          const text = toText((value as Record<string, unknown>)[part])
          if (text) yield [trait, text]
        }
      } else yield* flatten(Object.hasOwn(SAME, key) ? (SAME[key] as string) : key, value, 0)
    }
  }
  if (event.type === 'group' && event.body.groupId)
    yield ['group_id', event.body.groupId.slice(0, VALUE_LIMIT)]
}

function* flatten(key: string, value: unknown, depth: number): Generator<[string, string | null]> {
  if (key === '' || key.length > KEY_LIMIT) return
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (depth >= 3) return
    for (const [inner, nested] of Object.entries(value)) yield* flatten(`${key}_${inner}`, nested, depth + 1)
    return
  }
  const text = toText(value)
  if (text !== undefined) yield [key, text]
}

function toText(value: unknown): string | null | undefined {
  if (value === null || value === '') return null
  if (typeof value === 'string') return value.slice(0, VALUE_LIMIT)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value))
    return value
      .map((entry) => toText(entry) ?? '')
      .join(', ')
      .slice(0, VALUE_LIMIT)
  return undefined
}
