import type { JsonSchema, Manifest } from '@huitou/plugin-api'
import { toFinding } from './manifest-errors.ts'
import type { Finding } from './manifest-errors.ts'
import { validateMetaSchema } from './manifest-validator.ts'
import { checkLimits } from './schema-limits.ts'

/**
 * Findings for what is no JSON Schema, or one that a server cannot let strangers have, wherever a manifest holds one.
 * Compiles nothing, so that it costs little.
 */
export function checkSchemas(manifest: Manifest): Finding[] {
  return [...schemasOf(manifest)].flatMap(([path, schema]) => {
    if (schema === undefined) return []
    const limits = checkLimits(schema)
    if (limits.length > 0)
      return limits.map((each) => ({ ...each, path: each.path === '' ? path : `${path}.${each.path}` }))
    if (validateMetaSchema(schema)) return []
    const [error] = validateMetaSchema.errors ?? []
    const found = error && toFinding(error, schema)
    if (!found || error.instancePath === '')
      return [{ path, value: 'not a JSON Schema', fix: found?.fix ?? 'it does not fit the meta-schema' }]
    return [{ ...found, path: `${path}.${found.path}` }]
  })
}

function* schemasOf({ contributes = {} }: Manifest): Generator<[string, JsonSchema | undefined]> {
  const keys = {
    events: ['schema'],
    reports: ['parameters'],
    channels: ['settings', 'content'],
    actions: ['input', 'output'],
    conditions: ['options'],
    journeys: ['parameters'],
    collections: ['schema'],
    commands: ['input'],
    models: ['settings'],
    extensionPoints: ['schema'],
  } as const
  for (const [point, fields] of Object.entries(keys)) {
    const entries = contributes[point as keyof typeof keys] ?? []
    for (const [index, entry] of entries.entries()) {
      for (const field of fields) {
        yield [
          `contributes.${point}[${index}].${field}`,
          (entry as unknown as Record<string, JsonSchema>)[field],
        ]
      }
    }
  }
  yield ['contributes.configuration', contributes.configuration]
  for (const point of ['sources', 'channels'] as const)
    for (const [index, { webhooks = [] }] of (contributes[point] ?? []).entries())
      for (const [at, { settings }] of webhooks.entries())
        yield [`contributes.${point}[${index}].webhooks[${at}].settings`, settings]
  for (const [index, { methods = {} }] of (contributes.extensionPoints ?? []).entries()) {
    for (const [name, { input, output }] of Object.entries(methods)) {
      yield [`contributes.extensionPoints[${index}].methods.${name}.input`, input]
      yield [`contributes.extensionPoints[${index}].methods.${name}.output`, output]
    }
  }
  for (const [index, { calls = {} }] of (contributes.views ?? []).entries()) {
    for (const [name, { input, output }] of Object.entries(calls)) {
      yield [`contributes.views[${index}].calls.${name}.input`, input]
      yield [`contributes.views[${index}].calls.${name}.output`, output]
    }
  }
}
