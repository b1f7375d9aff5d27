/** Type of the HTTP API: `hc<AppType>` of hono/client gives a client that knows every route and answer. */
export type { AppType } from './app.ts'
