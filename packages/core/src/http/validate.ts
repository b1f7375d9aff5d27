import { userError } from '@huitou/plugin-api'
import type { ValidationTargets } from 'hono'
import { validator as openApiValidator } from 'hono-openapi'
import type { ZodType } from 'zod'

/**
 * Checks a part of the request against a zod schema, documents it in OpenAPI and gives it typed to the handler.
 * What does not fit is answered as `E_INVALID` with the path and the reason of every mistake.
 */
export function validate<T extends keyof ValidationTargets, S extends ZodType>(target: T, schema: S) {
  return openApiValidator(target, schema, (result) => {
    if (result.success) return
    const mistakes = result.error.map((issue) => ({ path: pathOf(issue.path), message: issue.message }))
    const first = mistakes[0]
    throw userError('E_INVALID', `${first?.path || target}: ${first?.message ?? 'does not fit'}`, {
      details: { mistakes },
      hint: 'Correct the named fields and send the request again.',
    })
  })
}

function pathOf(path: readonly (PropertyKey | { key: PropertyKey })[] | undefined): string {
  return (path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
}
