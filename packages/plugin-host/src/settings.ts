import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { RE2JS } from 're2js'
import { findingsError, toFinding } from './manifest-errors.ts'
import type { JsonSchema } from '@huitou/plugin-api'

export type Settings = Readonly<Record<string, unknown>>

/** The settings in force: `values` checked against the schema, with its defaults where nothing is set. */
export type ResolveSettings = (values: Settings) => Settings

/** Words of ours that may stand in a settings schema beside JSON Schema's own. */
const ownKeywords = ['order', 'scope', 'secret', 'enumTitles']

// ajv-formats is CommonJS whose default export Node hands over as the module itself.
const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default

/** Patterns come from strangers: they are matched in linear time, whatever they are. */
const matcher = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern)
    return { test: (text: string) => compiled.matcher(text).find() }
  },
  { code: 'new RegExp' },
)

/** One for all plugins: what compiles the language of schemas itself takes longer than a hundred small schemas. */
const ajv = new Ajv2020({
  allErrors: true,
  useDefaults: true,
  // Words that only say how a field is drawn are of every schema of a plugin.
  strict: false,
  // Done before, by `checkSchemas`.
  validateSchema: false,
  // Two plugins may give their schemas the same `$id`.
  addUsedSchema: false,
  // Each is checked a few times, so quicker checking does not pay for slower compiling.
  code: { optimize: false, regExp: matcher },
})
addFormats(ajv)

/**
 * Prepares `contributes.configuration`, which `checkSchemas` found fine. It is compiled when settings are first looked
 * at: most plugins of a server are not, before somebody needs them.
 */
export function compileSettings(pluginId: string, schema: JsonSchema | undefined): ResolveSettings {
  if (!schema) return (values) => Object.freeze(structuredClone(values))
  const whole = { type: 'object', additionalProperties: false, ...schema }
  let validate: ReturnType<typeof compile> | undefined
  return (values) => {
    validate ??= compile(whole)
    const settings = structuredClone(values) as Record<string, unknown>
    if (!validate(settings)) {
      const findings = (validate.errors ?? []).map((error) => toFinding(error, settings))
      throw findingsError('E_SETTINGS', `Settings of plugin "${pluginId}"`, findings)
    }
    return Object.freeze(settings)
  }
}

/**
 * Whether `values` are certain to fit `schema`, as far as that can be told without compiling it: plain settings of
 * the right type, within their bounds. False says nothing.
 */
export function fitsPlainly(schema: JsonSchema | undefined, values: Settings): boolean {
  const { properties = {}, ...rest } = (schema ?? {}) as { properties?: Record<string, JsonSchema> }
  return (
    Object.keys(rest).every((keyword) => undemanding.includes(keyword)) &&
    Object.entries(values).every(([name, value]) => fitsProperty(properties[name], value))
  )
}

const undemanding = ['type', 'title', 'description', '$schema', '$id']
const plain = [...undemanding, ...ownKeywords, 'default', 'enum', 'minimum', 'maximum']

function fitsProperty(schema: JsonSchema | undefined, value: unknown): boolean {
  if (!schema || !Object.keys(schema).every((keyword) => plain.includes(keyword))) return false
  const { type, enum: options, minimum = -Infinity, maximum = Infinity } = schema
  const isNumber = typeof value === 'number' && value >= Number(minimum) && value <= Number(maximum)
  const fitsType =
    type === 'integer'
      ? isNumber && Number.isInteger(value)
      : type === 'number'
        ? isNumber
        : type === typeof value
  return fitsType && typeof value !== 'object' && (!Array.isArray(options) || options.includes(value))
}

function compile(schema: object) {
  const validate = ajv.compile(schema)
  // Otherwise it would stay for as long as the server runs, whatever becomes of the plugin.
  ajv.removeSchema(schema)
  return validate
}
