import { type FieldProblem, type JsonSchema, userError } from '@huitou/plugin-api'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { RE2JS } from 're2js'
import { propertiesOf, type StoredDeclaration } from './declaration.ts'

/** Values of a record by field. */
export type RecordData = Record<string, unknown>

/** A mistake in a record, as a page can say it: the word of JSON Schema that it breaks, and its limit. */
export interface RecordProblem extends FieldProblem {
  rule: string
  limit?: number
}

// Patterns come from strangers and meet what anybody types: they are matched in linear time, whatever they are.
const matcher = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern)
    return { test: (text: string) => compiled.matcher(text).find() }
  },
  { code: 'new RegExp' },
)
const options = {
  strict: false,
  allErrors: true,
  validateSchema: false,
  ownProperties: true,
  addUsedSchema: false,
  code: { regExp: matcher },
} as const
const ajv = new Ajv2020({ ...options, useDefaults: true })
const plainAjv = new Ajv2020(options)
for (const each of [ajv, plainAjv]) {
  addFormats.default(each)
  // Epoch milliseconds, and minor units of the brand's currency: ways to show a whole number, not to check it.
  each.addFormat('time', true)
  each.addFormat('money', true)
}

/** Checks what is to be written, and puts defaults into it. */
export function compileRecordSchema(declaration: StoredDeclaration): ValidateFunction {
  return ajv.compile(validationSchema(declaration))
}

/** Checks only these properties of what is stored. */
export function compileProperties(
  declaration: StoredDeclaration,
  names: readonly string[],
): ValidateFunction {
  const properties = propertiesOf(validationSchema(declaration))
  return plainAjv.compile({
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, properties[name]])),
  })
}

/** The schema records are checked against: references hold ids, and nothing that has no column is let in. */
function validationSchema({ schema, references }: StoredDeclaration): JsonSchema {
  const properties = Object.entries(propertiesOf(schema)).map(([name, property]) => {
    const target = references[name]
    if (target === undefined) return [name, property] as const
    return [
      name,
      target === 'customer' ? { type: 'integer', minimum: 1 } : { type: 'string', maxLength: 64 },
    ] as const
  })
  return { ...schema, properties: Object.fromEntries(properties), additionalProperties: false }
}

/** Throws `E_COLLECTION_DECLARATION` when no record could ever be checked against the schema. */
export function checkCompiles(id: string, declaration: StoredDeclaration): void {
  try {
    compileRecordSchema(declaration)
  } catch (cause) {
    throw userError(
      'E_COLLECTION_DECLARATION',
      `Collection "${id}": its schema cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      { hint: 'This is a fault of the plugin; tell its author.', cause },
    )
  }
}

/** Mistakes of a value that did not fit, one a field and rule. */
export function problemsOf(errors: readonly ErrorObject[] | null | undefined): RecordProblem[] {
  return (
    (errors ?? [])
      // Which branches were tried is of no use to whoever typed the value; that none fits is said by `oneOf` itself.
      .filter(({ schemaPath, keyword }) => !/\/oneOf\/\d+\/const$/.test(schemaPath) && keyword !== 'if')
      .map(({ instancePath, keyword, params, message }) => {
        const { missingProperty, additionalProperty, limit } = params as {
          missingProperty?: string
          additionalProperty?: string
          limit?: number
        }
        const path = instancePath.slice(1).replaceAll('/', '.')
        const inner = missingProperty ?? additionalProperty
        return {
          field: inner === undefined ? path : path ? `${path}.${inner}` : inner,
          rule: keyword,
          message: message ?? 'does not fit',
          ...(limit === undefined ? {} : { limit }),
        }
      })
  )
}

export function recordError(collection: string, problems: readonly (FieldProblem & { rule?: string })[]) {
  const words = problems.map(({ field, message }) => `${field || 'record'} ${message}`)
  return userError('E_RECORD', `The record does not fit "${collection}": ${words.slice(0, 5).join('; ')}`, {
    status: 422,
    details: { collection, problems, fields: problems.map(({ field }) => field) },
    hint: 'Correct the named fields and save again.',
  })
}
