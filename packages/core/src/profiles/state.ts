import type { StoredEvent } from '../events/read.ts'
import { identifiersOf, isStrong, rankOf } from '../identity/identifiers.ts'
import { monoids, type Sample } from './aggregates.ts'
import { isStandardTrait } from './columns.ts'
import type { Definitions, Feature, FeatureUse } from './definitions.ts'
import { toMinorUnits } from './money.ts'
import type { TimelineRow } from './timeline.ts'
import { type TraitValue, traitsOf } from './traits.ts'

/** Everything a profile is made of, as a value that merges: see {@link Monoid}. Stored as JSON. */
export interface ProfileState {
  /** Rank, kind and value of the best identifier seen. */
  key: [number, string, string] | null
  first: number
  last: number
  events: number
  traits: Record<string, TraitValue>
  /** Accumulator by column; windowed ones by business day below that. */
  sums: Record<string, unknown>
}

/** Traits kept of one customer; what comes later stays in the log only. */
const TRAIT_LIMIT = 500

export function emptyState(): ProfileState {
  return { key: null, first: Number.MAX_SAFE_INTEGER, last: 0, events: 0, traits: {}, sums: {} }
}

/** Folds one event in. `state` is changed in place. */
export function foldEvent(
  state: ProfileState,
  {
    event,
    row,
    definitions,
    day,
  }: { event: StoredEvent; row: TimelineRow; definitions: Definitions; day: number },
): void {
  state.events++
  state.first = Math.min(state.first, event.ts)
  if (isAct(event, row.name)) state.last = Math.max(state.last, event.ts)
  for (const { kind, value } of identifiersOf(event.type, event.body)) {
    const rank = isStrong(kind) ? rankOf(kind) : 99
    if (!state.key || isBefore([rank, kind, value], state.key)) state.key = [rank, kind, value]
  }
  for (const [key, value] of traitsOf(event)) setTrait(state, key, [value, event.ts, event.message_id])
  for (const use of definitions.usesOf.get(row.name) ?? []) {
    const sample = toSample(use, { event, row, definitions, day })
    if (sample) addSample(state, use.feature, sample)
  }
}

/** What Huitou notes about a customer is not the customer's doing: but for what one does with a message. */
const ANSWERS = new Set([
  'message.read',
  'message.clicked',
  'message.replied',
  'message.unsubscribed',
  'message.complained',
])

/** Whoever does them, these are done to a customer. */
const DONE_TO = new Set(['customer.tagged', 'customer.untagged'])

function isAct({ source }: StoredEvent, name: string): boolean {
  if (DONE_TO.has(name)) return false
  return !source.startsWith('huitou:') || source === 'huitou:unsubscribe' || ANSWERS.has(name)
}

/** Joins what two customers' events came to. Changes and returns `a`. */
export function mergeStates(a: ProfileState, b: ProfileState, features: readonly Feature[]): ProfileState {
  a.events += b.events
  a.first = Math.min(a.first, b.first)
  a.last = Math.max(a.last, b.last)
  if (b.key && (!a.key || isBefore(b.key, a.key))) a.key = b.key
  for (const [key, value] of Object.entries(b.traits)) setTrait(a, key, value)
  for (const feature of features) {
    const other = b.sums[feature.column]
    if (other === undefined) continue
    const own = a.sums[feature.column]
    const { merge } = monoids[feature.aggregate]
    if (own === undefined) a.sums[feature.column] = other
    else if (feature.windowDays === undefined) a.sums[feature.column] = merge(own, other)
    else {
      const days = own as Record<string, unknown>
      for (const [day, accumulator] of Object.entries(other as Record<string, unknown>)) {
        days[day] = days[day] === undefined ? accumulator : merge(days[day], accumulator)
      }
    }
  }
  return a
}

/** Values of the feature columns on business day `today`. */
export function featureValues(
  state: ProfileState,
  features: readonly Feature[],
  today: number,
): Record<string, number | string | null> {
  const values: Record<string, number | string | null> = {}
  for (const feature of features) {
    const sums = state.sums[feature.column]
    const accumulator =
      feature.windowDays === undefined
        ? sums
        : inWindow(feature, sums as Record<string, unknown> | undefined, today)
    values[feature.column] = accumulator === undefined ? whenNothing(feature) : toValue(feature, accumulator)
  }
  return values
}

/** First business day after `today` on which a windowed column changes by itself, or null. */
export function nextExpiry(state: ProfileState, features: readonly Feature[], today: number): number | null {
  let next: number | null = null
  for (const { column, windowDays } of features) {
    if (windowDays === undefined) continue
    for (const text of Object.keys((state.sums[column] as Record<string, unknown> | undefined) ?? {})) {
      const day = Number(text)
      // A day in the future enters the window when it comes, one inside leaves it `windowDays` later.
      const change = day > today ? day : day + windowDays
      if (change > today && (next === null || change < next)) next = change
    }
  }
  return next
}

function addSample(state: ProfileState, feature: Feature, sample: Sample): void {
  const { of, merge } = monoids[feature.aggregate]
  const accumulator: unknown = of(sample)
  if (accumulator === undefined) return
  if (feature.windowDays === undefined) {
    const own = state.sums[feature.column]
    state.sums[feature.column] = own === undefined ? accumulator : merge(own, accumulator)
    return
  }
  const days = (state.sums[feature.column] ??= {}) as Record<string, unknown>
  const own = days[sample.day]
  days[sample.day] = own === undefined ? accumulator : merge(own, accumulator)
}

function toSample(
  { feature, factor, where }: FeatureUse,
  {
    event,
    row,
    definitions,
    day,
  }: { event: StoredEvent; row: TimelineRow; definitions: Definitions; day: number },
): Sample | undefined {
  const properties = event.body.properties
  for (const [property, wanted] of where) {
    const actual = properties?.[property]
    if (!wanted.some((value) => value === actual || String(value) === String(actual))) return undefined
  }
  const base = { ts: event.ts, messageId: event.message_id, day }
  if (feature.of === 'time') return { ...base, number: event.ts * factor, value: event.ts }
  if (feature.aggregate === 'count' || feature.aggregate === 'mean_gap')
    return { ...base, number: factor, value: undefined }
  const found = feature.of === 'value' ? row.value : at(properties, feature.of)
  if (found === undefined || found === null || found === '') return undefined
  const value = typeof found === 'number' || typeof found === 'string' ? found : JSON.stringify(found)
  if (
    feature.aggregate === 'distinct' ||
    feature.aggregate === 'mode' ||
    feature.aggregate === 'first' ||
    feature.aggregate === 'last'
  ) {
    return { ...base, number: 0, value }
  }
  const number =
    feature.of === 'value'
      ? row.value
      : feature.money
        ? toMinorUnits(found, definitions.digits)
        : Number(found)
  if (number === undefined || number === null || !Number.isFinite(number)) return undefined
  return { ...base, number: Math.round(number * feature.scale) * factor, value }
}

function inWindow(feature: Feature, days: Record<string, unknown> | undefined, today: number): unknown {
  if (!days) return undefined
  const { merge } = monoids[feature.aggregate]
  const from = today - (feature.windowDays as number)
  let sum: unknown
  for (const [text, accumulator] of Object.entries(days)) {
    const day = Number(text)
    if (day <= from || day > today) continue
    // `merge` may change its arguments, and the state must stay as it is.
    sum = sum === undefined ? structuredClone(accumulator) : merge(sum, accumulator)
  }
  return sum
}

/** Counting nothing is zero; a mean or a last time of nothing is unknown. */
function whenNothing({ aggregate }: Feature): number | null {
  return aggregate === 'count' || aggregate === 'sum' || aggregate === 'distinct' ? 0 : null
}

function toValue(feature: Feature, accumulator: unknown): number | string | null {
  const result = monoids[feature.aggregate].result(accumulator)
  if (typeof result !== 'number') return result
  const numeric = !['first', 'last', 'distinct', 'count', 'mean_gap'].includes(feature.aggregate)
  const scaled = numeric ? result / feature.scale : result
  return feature.type === 'number' ? scaled : Math.round(scaled)
}

function setTrait(state: ProfileState, key: string, value: TraitValue): void {
  const known = Object.hasOwn(state.traits, key) ? state.traits[key] : undefined
  if (known && (known[1] > value[1] || (known[1] === value[1] && known[2] >= value[2]))) return
  state.traits[key] = value
  if (known) return
  const keys = Object.keys(state.traits)
  if (keys.length <= TRAIT_LIMIT) return
  // Names and phones stay, and of the others the smallest keys, so that which do is not a matter of who came first.
  delete state.traits[keys.filter((other) => !isStandardTrait(other)).reduce((a, b) => (a > b ? a : b))]
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value
  for (const step of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined
    found = (found as Record<string, unknown>)[step]
  }
  return found
}

function isBefore(a: [number, string, string], b: [number, string, string]): boolean {
  if (a[0] !== b[0]) return a[0] < b[0]
  if (a[1] !== b[1]) return a[1] < b[1]
  return a[2] < b[2]
}
