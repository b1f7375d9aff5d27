import type { Context } from 'hono'
import { matchedRoutes } from 'hono/route'

/** Pattern of the route that answers a request, such as `/api/customers/:id`; `unknown` when none does. */
export function findRoute(c: Context): string {
  // Middleware takes `next`; what answers does not.
  const found = matchedRoutes(c).find(({ method, handler }) => method !== 'ALL' || handler.length < 2)
  return found?.path ?? 'unknown'
}
