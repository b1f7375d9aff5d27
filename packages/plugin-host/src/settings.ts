import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { findingsError, toFinding } from './manifest-errors.ts'
import type { JsonSchema } from '@huitou/plugin-api'

export type Settings = Readonly<Record<string, unknown>>

/** The settings in force: `values` checked against the schema, with its defaults where nothing is set. */
export type ResolveSettings = (values: Settings) => Settings

/** Words of ours that may stand in a settings schema beside JSON Schema's own. */
const ownKeywords = ['order', 'scope', 'secret', 'enumTitles']

// ajv-formats is CommonJS whose default export Node hands over as the module itself.
const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default

/** Compiles `contributes.configuration`; throws when it is not a valid JSON Schema. */
export function compileSettings(pluginId: string, schema: JsonSchema | undefined): ResolveSettings {
  if (!schema) return (values) => Object.freeze(structuredClone(values))
  const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strictTypes: false, strictRequired: false })
  addFormats(ajv)
  ajv.addVocabulary(ownKeywords)
  const validate = ajv.compile({ type: 'object', additionalProperties: false, ...schema })
  return (values) => {
    const settings = structuredClone(values) as Record<string, unknown>
    if (!validate(settings)) {
      const findings = (validate.errors ?? []).map((error) => toFinding(error, settings))
      throw findingsError('E_SETTINGS', `Settings of plugin "${pluginId}"`, findings)
    }
    return Object.freeze(settings)
  }
}
