import { hc } from 'hono/client'
import type { AppType } from './app.ts'

export type { AppType } from './app.ts'

/** Typed client of the HTTP API; `fetch` and headers as in hono's `hc`. */
export function createClient(...options: Parameters<typeof hc<AppType>>) {
  return hc<AppType>(...options)
}

export type Client = ReturnType<typeof createClient>
