import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Plugin } from 'rolldown'
import { metaSchemaId, validatorOptions } from '../../packages/plugin-host/src/manifest-validator.ts'

const root = path.resolve(import.meta.dirname, '../..')
const replaced = path.join(root, 'packages/plugin-host/src/manifest-validator.ts')

/** Puts the validators of manifests in as code, so that no start has to compile them. */
export const compiledValidators: Plugin = {
  name: 'compiled-validators',
  load: (id) => (id === replaced ? writeValidators() : null),
}

/** What of Ajv is needed here; it is a dependency of the host, not of these scripts. */
interface AjvModules {
  Ajv2020: new (options: object) => { addSchema(schema: object, id: string): void }
  writeCode(ajv: object, exports: Record<string, string>): string
}

function writeValidators(): string {
  const { Ajv2020, writeCode } = loadAjv()
  const ajv = new Ajv2020({ ...validatorOptions, code: { source: true, esm: true } })
  const schema = readFileSync(path.join(root, 'packages/plugin-api/manifest.schema.json'), 'utf8')
  ajv.addSchema(JSON.parse(schema) as object, 'manifest')
  return writeCode(ajv, { validateManifest: 'manifest', validateMetaSchema: metaSchemaId })
}

function loadAjv(): AjvModules {
  const require = createRequire(path.join(root, 'packages/plugin-host/package.json'))
  const { Ajv2020 } = require('ajv/dist/2020') as Pick<AjvModules, 'Ajv2020'>
  const { default: writeCode } = require('ajv/dist/standalone') as { default: AjvModules['writeCode'] }
  return { Ajv2020, writeCode }
}
