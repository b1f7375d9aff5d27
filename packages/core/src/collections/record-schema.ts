import { type FieldProblem, type JsonSchema, userError } from '@huitou/plugin-api'
import type { ValidateFunction } from 'ajv/dist/2020.js'
import { compileSchema } from '../points/json-schema.ts'
import { propertiesOf, type StoredDeclaration } from './declaration.ts'

/** Values of a record by field. */
export type RecordData = Record<string, unknown>

/** Checks what is to be written, and puts defaults into it. */
export function compileRecordSchema(declaration: StoredDeclaration): ValidateFunction {
  return compileSchema(validationSchema(declaration), { defaults: true })
}

/** Checks only these properties of what is stored. */
export function compileProperties(
  declaration: StoredDeclaration,
  names: readonly string[],
): ValidateFunction {
  const properties = propertiesOf(validationSchema(declaration))
  return compileSchema({
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

export function recordError(collection: string, problems: readonly (FieldProblem & { rule?: string })[]) {
  const words = problems.map(({ field, message }) => `${field || 'record'} ${message}`)
  return userError('E_RECORD', `The record does not fit "${collection}": ${words.slice(0, 5).join('; ')}`, {
    status: 422,
    details: { collection, problems, fields: problems.map(({ field }) => field) },
    hint: 'Correct the named fields and save again.',
  })
}
