import { createHash } from 'node:crypto'
import type { Aggregate, ColumnType, EventTypeContribution, FeatureContribution } from '@huitou/plugin-api'
import type { Points, Text } from '../points/points.ts'
import type { Brand } from '../settings/brand.ts'

/** A feature ready to fold. */
export interface Feature {
  column: string
  owner: string
  title: Text
  description: Text | null
  unit: Text | null
  type: ColumnType
  aggregate: Aggregate
  windowDays: number | undefined
  /** What the samples' number is divided by in the end: 1 for money and counts, else millionths are added up. */
  scale: number
  /** `value`, `time`, or a path into the properties. */
  of: 'value' | 'time' | readonly string[]
  /** Minor units are made of the property, not taken as they are. */
  money: boolean
}

export interface FeatureUse {
  feature: Feature
  factor: number
  where: [property: string, values: (string | number | boolean)[]][]
}

/** Everything that says how events become profiles. Another `version` means that stored profiles are out of date. */
export interface Definitions {
  version: string
  brand: Brand
  /** Canonical event types, by every name they arrive under. */
  eventTypes: ReadonlyMap<string, EventTypeContribution>
  features: readonly Feature[]
  /** Features that an event of this canonical name feeds. */
  usesOf: ReadonlyMap<string, FeatureUse[]>
  /** Decimal places of the brand's currency. */
  digits: number
}

/** Millionths: fractions are added as whole numbers, so that sums do not depend on order. */
const FRACTION_SCALE = 1_000_000

export function readDefinitions(points: Points, brand: Brand): Definitions {
  const eventTypes = new Map<string, EventTypeContribution>()
  for (const { value } of points.eventTypes.list()) {
    for (const name of [value.name, ...(value.aliases ?? [])]) eventTypes.set(name, value)
  }
  const features: Feature[] = []
  const usesOf = new Map<string, FeatureUse[]>()
  for (const { owner, value } of points.features.list()) {
    const feature = toFeature(owner.prefix, value, {
      plugin: owner.plugin,
      text: (text) => owner.text(text),
      eventTypes,
    })
    features.push(feature)
    for (const { name, factor = 1, where = {} } of value.events) {
      const use: FeatureUse = {
        feature,
        factor,
        where: Object.entries(where).map(([property, wanted]) => [
          property,
          Array.isArray(wanted) ? wanted : [wanted],
        ]),
      }
      usesOf.set(name, [...(usesOf.get(name) ?? []), use])
    }
  }
  const digits =
    new Intl.NumberFormat('en', { style: 'currency', currency: brand.currency }).resolvedOptions()
      .maximumFractionDigits ?? 2
  const declared = JSON.stringify([
    points.eventTypes.list().map(({ value }) => value),
    points.features.list().map(({ owner, value }) => [owner.prefix, value]),
    brand.timeZone,
    brand.currency,
  ])
  const version = createHash('sha256').update(declared).digest('base64url').slice(0, 16)
  return { version, brand, eventTypes, features, usesOf, digits }
}

function toFeature(
  prefix: string,
  value: FeatureContribution,
  {
    plugin,
    text,
    eventTypes,
  }: { plugin: string; text: (text: string) => Text; eventTypes: Map<string, EventTypeContribution> },
): Feature {
  const of = value.of ?? 'value'
  const money =
    value.type === 'money' ||
    value.events.some(({ name }) => of === 'value' && eventTypes.get(name)?.valueType === 'money')
  return {
    column: columnName(prefix, value.id),
    owner: plugin,
    title: text(value.title),
    description: value.description ? text(value.description) : null,
    unit: value.unit ? text(value.unit) : null,
    type: value.type,
    aggregate: value.aggregate,
    windowDays: value.windowDays,
    scale: money || of === 'time' || value.aggregate === 'count' ? 1 : FRACTION_SCALE,
    of: of === 'value' || of === 'time' ? of : of.split('.'),
    money,
  }
}

/** Physical name of a plugin's column. */
export function columnName(prefix: string, id: string): string {
  return `${prefix}_${id}`.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')
}
