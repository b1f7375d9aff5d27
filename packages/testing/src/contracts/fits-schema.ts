import { compileSchema } from '@huitou/core/points/json-schema'
import type { JsonSchema } from '@huitou/plugin-api'
import { must } from './contract.ts'

/** Fails the check when `value` does not fit the schema; `what` begins the sentence. */
export function fitsSchema(what: string, value: unknown, schema: JsonSchema | undefined): void {
  if (!schema) return
  const validate = compileSchema(schema, { answer: true })
  if (validate(value)) return
  const [error] = validate.errors ?? []
  must(false, `${what} ${JSON.stringify(value)}: ${error?.instancePath || 'it'} ${error?.message}`)
}
