import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import standalone from 'ajv/dist/standalone/index.js'
import type { Plugin } from 'rolldown'
import { metaSchemaId, validatorOptions } from '../../packages/plugin-host/src/manifest-validator.ts'

const root = path.resolve(import.meta.dirname, '../..')
const replaced = path.join(root, 'packages/plugin-host/src/manifest-validator.ts')

// CommonJS whose default export Node hands over as the module itself.
const writeCode = standalone as unknown as typeof standalone.default

/** Puts the validators of manifests in as code, so that no start has to compile them. */
export const compiledValidators: Plugin = {
  name: 'compiled-validators',
  load: (id) => (id === replaced ? writeValidators() : null),
}

function writeValidators(): string {
  const ajv = new Ajv2020({ ...validatorOptions, code: { source: true, esm: true } })
  const schema = readFileSync(path.join(root, 'packages/plugin-api/manifest.schema.json'), 'utf8')
  ajv.addSchema(JSON.parse(schema) as object, 'manifest')
  return writeCode(ajv, { validateManifest: 'manifest', validateMetaSchema: metaSchemaId })
}
