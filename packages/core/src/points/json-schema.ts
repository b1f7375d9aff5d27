import type { JsonSchema } from '@huitou/plugin-api'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { LRUCache } from 'lru-cache'
import { RE2JS } from 're2js'

/** A mistake in a value: where, the word of JSON Schema that it breaks, and that word's limit. */
export interface SchemaProblem {
  field: string
  message: string
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
  // Titles in a schema are texts in every language, which no meta schema allows.
  validateSchema: false,
  addUsedSchema: false,
  ownProperties: true,
  code: { regExp: matcher },
} as const
const filling = new Ajv2020({ ...options, useDefaults: true })
const plain = new Ajv2020(options)
const brief = new Ajv2020({ ...options, allErrors: false })
for (const each of [filling, plain, brief]) {
  addFormats.default(each)
  // Epoch milliseconds, and minor units of the brand's currency: ways to show a whole number, not to check it.
  each.addFormat('time', true)
  each.addFormat('money', true)
  // Id of a file of messages; there is one or there is not, which no schema can tell.
  each.addFormat('asset', true)
  // Name of a queue of tasks; those that there are change while a schema stays.
  each.addFormat('task-queue', true)
}

/** Schemas are built anew for every look at them, and compiling one takes milliseconds: the same text is compiled once. */
const validators = new LRUCache<string, ValidateFunction>({ max: 1_000 })

/**
 * Checks values against a plugin's schema; with `defaults` it puts those into what it checks. What plugins answer is
 * checked up to the first mistake: an answer with a million of them would fill the memory with what is wrong with it.
 */
export function compileSchema(
  schema: JsonSchema,
  { defaults = false, answer = false }: { defaults?: boolean; answer?: boolean } = {},
): ValidateFunction {
  const mode = answer ? 'brief' : defaults ? 'filling' : 'plain'
  const key = `${mode} ${JSON.stringify(schema)}`
  const known = validators.get(key)
  if (known) return known
  const compiler = { brief, filling, plain }[mode]
  const validate = compiler.compile(schema)
  // It would be kept for good otherwise, by the object and not by what it says.
  compiler.removeSchema(schema)
  validators.set(key, validate)
  return validate
}

/** Mistakes of a value that did not fit. */
export function problemsOf(errors: readonly ErrorObject[] | null | undefined): SchemaProblem[] {
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
