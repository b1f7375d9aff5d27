import type { Context, TypedResponse } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/**
 * Answers `value` as JSON and tells the typed client so, word for word. For types that refer to themselves, which
 * `c.json` forgets half-way down; the value must already be what JSON can hold.
 */
export function answerJson<T extends object, S extends ContentfulStatusCode = 200>(
  c: Context,
  value: T,
  status = 200 as S,
) {
  return c.json(value, status) as unknown as Response & TypedResponse<T, S, 'json'>
}
