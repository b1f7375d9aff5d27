import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Core } from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { sql } from 'kysely'
import type { Metrics } from '../metrics/metrics.ts'

export interface WatchDeps {
  core: Core
  version: string
  metrics: Metrics
  /** Whoever asks for figures has to name it; without one only this machine may ask. */
  metricsToken: string | undefined
  /** Whether the server has been told to stop. */
  isStopping(): boolean
}

/** A load balancer asks every few seconds, and waits no longer. */
const DATABASE_MS = 3_000

type Bindings = { Bindings: { incoming?: IncomingMessage } }

/** For whoever watches over the process: `/healthz`, `/readyz` and `/metrics`. */
export function watchRoutes({ core, version, metrics, metricsToken, isStopping }: WatchDeps) {
  return new Hono<Bindings>()
    .get('/healthz', (c) => c.json({ status: 'ok', version }))
    .get('/readyz', async (c) => {
      const reasons = await whyNotReady(core, isStopping)
      // Trouble in a stage keeps nobody from bringing events, which wait for it.
      const troubles = core.health.troubles().map(({ stage, kind }) => `${stage}: ${kind}`)
      if (reasons.length === 0) return c.json({ status: 'ready', version, troubles })
      c.header('Retry-After', '5')
      return c.json({ status: 'not ready', version, reasons }, 503)
    })
    .get('/metrics', async (c) => {
      const refused = metricsToken
        ? !isSame(c.req.header('Authorization') ?? '', `Bearer ${metricsToken}`)
        : // The address of the sender, or of whom a trusted proxy asks for.
          !/^(?:127\.|::1$)/.test(c.req.header('X-Forwarded-For') ?? '')
      if (refused) {
        const problem = userError('E_METRICS', 'Figures are for those who may see them', {
          status: metricsToken ? 401 : 403,
          hint: 'Set HUITOU_METRICS_TOKEN and send it as a bearer token.',
        })
        const { code, message, hint, status } = problem
        c.header('Content-Type', 'application/problem+json')
        if (status === 401) c.header('WWW-Authenticate', 'Bearer')
        const body = { type: `urn:huitou:error:${code}`, title: code, status, code, detail: message, hint }
        return c.body(JSON.stringify(body), status as 401)
      }
      const { type, text } = await metrics.render()
      return c.body(text, 200, { 'Content-Type': type })
    })
}

/** Reasons why this server should not be sent requests now, as codes that never change. */
async function whyNotReady({ database }: Core, isStopping: () => boolean): Promise<string[]> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), DATABASE_MS)
  // The schema is up to date since before the server listened: nothing answers before that.
  const answers = sql`select 1`.execute(database.db).then(
    () => true,
    () => false,
  )
  const isThere = await Promise.race([answers, late.promise])
  clearTimeout(timer)
  return [...(isStopping() ? ['stopping'] : []), ...(isThere ? [] : ['database'])]
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}
