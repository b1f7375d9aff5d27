import type { AppError, JsonSchema } from '@huitou/plugin-api'
import type { SecretBox } from '../secret-box.ts'

export type Settings = Record<string, unknown>

interface Property {
  secret?: boolean
}

/** Names of the settings whose values are shown to nobody. */
export function secretNames(schema: JsonSchema | undefined): Set<string> {
  return new Set(Object.entries(propertiesOf(schema)).flatMap(([name, { secret }]) => (secret ? [name] : [])))
}

/** Settings as the database holds them. */
export function sealSettings(settings: Settings, schema: JsonSchema | undefined, box: SecretBox): Settings {
  const secrets = secretNames(schema)
  return mapValues(settings, (value, name) =>
    secrets.has(name) && typeof value === 'string' && value !== '' ? box.seal(value) : value,
  )
}

/** Settings as the plugin gets them. */
export function openSettings(stored: Settings, box: SecretBox): Settings {
  return mapValues(stored, (value) => (box.isSealed(value) ? box.open(value) : value))
}

export function withoutSecrets(settings: Settings, schema: JsonSchema | undefined): Settings {
  const secrets = secretNames(schema)
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !secrets.has(name)))
}

export function onlySecrets(settings: Settings, schema: JsonSchema | undefined): Settings {
  const secrets = secretNames(schema)
  return Object.fromEntries(Object.entries(settings).filter(([name]) => secrets.has(name)))
}

export interface MigratedSettings {
  settings: Settings
  dropped: Settings
}

/**
 * Settings of one version as far as another one's schema has a place for them. A secret that is one no longer is
 * dropped as well: it must not come into sight because a manifest says so.
 */
export function migrateSettings(
  settings: Settings,
  {
    from,
    to,
    accepts,
  }: {
    from: JsonSchema | undefined
    to: JsonSchema | undefined
    /** Throws when the settings do not fit the new schema. */
    accepts(settings: Settings): unknown
  },
): MigratedSettings {
  const known = propertiesOf(to)
  const wereSecret = secretNames(from)
  const areSecret = secretNames(to)
  const stays = (name: string) => Object.hasOwn(known, name) && (!wereSecret.has(name) || areSecret.has(name))
  const kept = Object.fromEntries(Object.entries(settings).filter(([name]) => stays(name)))
  for (const name of misfits(accepts, kept)) delete kept[name]
  const dropped = Object.fromEntries(Object.entries(settings).filter(([name]) => !Object.hasOwn(kept, name)))
  return { settings: kept, dropped }
}

/** Names of the settings that the schema refuses. */
function misfits(accepts: (settings: Settings) => unknown, settings: Settings): string[] {
  try {
    accepts(settings)
    return []
  } catch (error) {
    const { findings = [] } = ((error as AppError).details ?? {}) as { findings?: { path: string }[] }
    return findings.map(({ path }) => path.split(/[.[]/, 1)[0] ?? '')
  }
}

function propertiesOf(schema: JsonSchema | undefined): Record<string, Property> {
  return (schema as { properties?: Record<string, Property> } | undefined)?.properties ?? {}
}

function mapValues(settings: Settings, change: (value: unknown, name: string) => unknown): Settings {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, change(value, name)]))
}
