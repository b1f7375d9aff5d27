import type { JsonSchema, Manifest } from '@huitou/plugin-api'
import { toPath } from './manifest-errors.ts'
import type { Finding } from './manifest-errors.ts'
import { validateMetaSchema } from './manifest-validator.ts'

/** Findings for what is no JSON Schema, wherever a manifest holds one. Compiles nothing, so that it costs little. */
export function checkSchemas(manifest: Manifest): Finding[] {
  return [...schemasOf(manifest)].flatMap(([path, schema]) => {
    if (schema === undefined || validateMetaSchema(schema)) return []
    const [error] = validateMetaSchema.errors ?? []
    const inside = toPath(error?.instancePath ?? '')
    return [
      {
        path: inside === '' ? path : `${path}.${inside}`,
        value: 'not a JSON Schema',
        fix: `it ${error?.message ?? 'does not fit the meta-schema'}`,
      },
    ]
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
