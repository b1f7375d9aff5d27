import type { JsonSchema } from '@huitou/plugin-api'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { must } from './contract.ts'

// ajv-formats is CommonJS whose default export Node hands over as the module itself.
const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default

/** Fails the check when `value` does not fit the schema; `what` begins the sentence. */
export function fitsSchema(what: string, value: unknown, schema: JsonSchema | undefined): void {
  if (!schema) return
  const ajv = new Ajv2020({ strict: false })
  addFormats(ajv)
  const validate = ajv.compile(schema)
  if (validate(value)) return
  const [error] = validate.errors ?? []
  must(false, `${what} ${JSON.stringify(value)}: ${error?.instancePath || 'it'} ${error?.message}`)
}
