import type { Manifest } from '@huitou/plugin-api'
import manifestSchema from '@huitou/plugin-api/manifest.schema.json' with { type: 'json' }
import type { ValidateFunction } from 'ajv'
import { Ajv2020, type Options } from 'ajv/dist/2020.js'

/** How manifests are checked; with `verbose` an error carries the schema that explains it. */
export const validatorOptions = { allErrors: true, allowUnionTypes: true, verbose: true } satisfies Options

/** The schema of all JSON Schemas, by the name that Ajv knows it under. */
export const metaSchemaId = 'https://json-schema.org/draft/2020-12/schema'

const ajv = new Ajv2020(validatorOptions)

/**
 * Whether something is a manifest, and in `errors` what keeps it from being one. Compiling the schema takes longer than
 * everything else a server does before its first answer, so that the single binary carries it compiled: whoever builds
 * it puts what Ajv makes of these two in the place of this file.
 */
export const validateManifest = ajv.compile<Manifest>(manifestSchema)

/** Whether something is a JSON Schema of draft 2020-12. */
export const validateMetaSchema = ajv.getSchema(metaSchemaId) as ValidateFunction
