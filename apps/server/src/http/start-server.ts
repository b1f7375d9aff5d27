import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve, type ServerType } from '@hono/node-server'
import { type AppDeps, createApp, type Core, type NodeRole, type Topic } from '@huitou/core'
import { AppError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { loadDemo, passDemoDays } from '../demo/demo-jobs.ts'
import { Metrics } from '../metrics/metrics.ts'
import type { Huitou } from '../open-huitou.ts'
import { startActivation } from '../plugin-activation.ts'
import { docsRoutes } from './docs-page.ts'
import { watchRequests } from './drain.ts'
import { noteRoute, openFrontDoor } from './front-door.ts'
import { pluginFileRoutes } from './plugin-files.ts'
import { withRequestId } from './request-scope.ts'
import { adminRoutes, safeHeaders } from './serve-admin.ts'
import { trustProxies } from './trusted-proxies.ts'
import { watchRoutes } from './watch-routes.ts'

export interface ServerOptions {
  port: number
  host: string
  version: string
  /** A worker answers nobody but whoever watches over it. */
  role?: NodeRole
  /** Proxies whose word about senders is believed. */
  trustedProxies?: string | undefined
  metricsToken?: string | undefined
  /** Other limits of requests than the usual ones. */
  rateLimits?: AppDeps['rateLimits']
}

/** What a worker answers. */
const WATCHED = new Set(['/healthz', '/readyz', '/metrics'])

export interface RunningServer {
  url: string
  close(): Promise<void>
}

/** The API of an opened Huitou. */
export async function createApi(
  huitou: Huitou,
  version: string,
  { metrics, rateLimits }: { metrics?: Metrics; rateLimits?: AppDeps['rateLimits'] } = {},
) {
  const { core, host, live, plugins } = huitou
  return createApp({
    rateLimits,
    onAnswered: (c, route) =>
      noteRoute((c.env as { incoming?: IncomingMessage } | undefined)?.incoming, route),
    onTaken: (taken) => metrics?.taken(taken),
    core,
    auth: await huitou.auth(),
    plugins,
    live,
    version,
    secretIn: huitou.secretIn,
    pluginSettings: (id) => host.getPlugin(id).settings,
    onBrand: ({ currency, timeZone, locale }) => {
      host.setBrand({ currency, timeZone, locale })
      core.database.notices.tell('brand')
      core.wake()
    },
    loadDemo: () => loadDemo(core),
    passDemoDays: (days) => passDemoDays(core, days),
  })
}

/** The whole HTTP face of Huitou: API, its description, and the admin app. */
export async function createServerApp(
  huitou: Huitou,
  version: string,
  more?: Parameters<typeof createApi>[2],
) {
  const api = await createApi(huitou, version, more)
  const safe = safeHeaders()
  const files = secureHeaders({
    crossOriginResourcePolicy: 'cross-origin',
    crossOriginOpenerPolicy: false,
    strictTransportSecurity: false,
  })
  return (
    new Hono()
      // Files of messages are shown by mail programs, from elsewhere: they say themselves what may be done with them.
      .use((c, next) => (c.req.path.startsWith('/media/') ? files(c, next) : safe(c, next)))
      .route('/api', docsRoutes(api, version))
      .mount('/', (request, ...rest) => api.fetch(request, ...rest), { replaceRequest: false })
  )
}

/** What is being answered when the server stops gets this long. */
const ANSWER_MS = 15_000

/** Addresses that stand in messages. */
const PUBLIC = /^\/(?:l|u|media)\/[^/]+$/

/** Listens, and tells open pages of what changes. */
export async function startServer(huitou: Huitou, options: ServerOptions): Promise<RunningServer> {
  const { port, host, version, role = 'all', trustedProxies = 'loopback', metricsToken, rateLimits } = options
  const metrics = new Metrics(huitou, version)
  const findClient = trustProxies(trustedProxies)
  let isStopping = false
  const api = await createServerApp(huitou, version, { metrics, rateLimits })
  const watch = watchRoutes({
    core: huitou.core,
    version,
    metrics,
    metricsToken,
    isStopping: () => isStopping,
  })
  const admin = adminRoutes()
  const files = pluginFileRoutes(huitou.host)
  const app = new Hono().all('*', async (c) => {
    const { path } = c.req
    if (role === 'worker' && !WATCHED.has(path)) {
      const hint = 'Ask a server whose role is web or all.'
      return c.json({ status: 404, code: 'E_WORKER', title: 'This server is a worker', hint }, 404)
    }
    const env = c.env as { incoming?: IncomingMessage }
    if (WATCHED.has(path)) {
      noteRoute(env.incoming, path)
      return await watch.fetch(c.req.raw, env)
    }
    const ours =
      path.startsWith('/api/') || path.startsWith('/v1/') || path.startsWith('/hooks/') || PUBLIC.test(path)
    if (ours) return await api.fetch(c.req.raw, c.env)
    const isFile = path.startsWith('/plugin-files/')
    noteRoute(env.incoming, isFile ? 'plugin-files' : 'admin')
    return await (isFile ? files : admin).fetch(c.req.raw, c.env)
  })
  const stop = announceChanges(huitou.core, huitou)
  const fetch = (request: Request, env?: unknown) =>
    withRequestId(request.headers.get('X-Request-Id') ?? '', () => app.fetch(request, env as object))
  const server = (await listen(fetch, port, host)) as Server
  limitTimes(server)
  const drain = watchRequests(server)
  openFrontDoor(server, {
    findClient,
    log: huitou.core.log,
    onAnswered: (answered) => metrics.answered(answered),
  })
  // Only now: whoever opens a page does not wait for plugins.
  const stopActivation = startActivation(huitou.core, huitou.host)
  const { address, port: actual } = server.address() as AddressInfo
  const name =
    address === '::' || address === '0.0.0.0' || address === '127.0.0.1' || address === '::1'
      ? 'localhost'
      : address
  return {
    url: `http://${name}:${actual}`,
    async close() {
      isStopping = true
      await stopActivation()
      stop()
      await drain.end(ANSWER_MS)
    },
  }
}

/** Whoever takes longer to say what they want is cut off; files of half a gigabyte over a slow line are not. */
function limitTimes(server: Server): void {
  server.headersTimeout = 20_000
  server.requestTimeout = 3_600_000
  // Longer than proxies keep theirs, so that none sends a request into a connection that is just being closed.
  server.keepAliveTimeout = 75_000
}

function listen(
  fetch: (request: Request, env?: unknown) => Response | Promise<Response>,
  port: number,
  hostname: string,
): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname }, () => resolve(server))
    server.on('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE'
      reject(
        new AppError(
          'world',
          taken ? 'E_PORT_TAKEN' : 'E_LISTEN',
          taken ? `Port ${port} is in use` : `Cannot listen on ${hostname}:${port}: ${cause.message}`,
          {
            hint: taken
              ? 'Another Huitou may be running; stop it or choose another port with --port.'
              : 'Choose another --host or --port.',
            cause,
          },
        ),
      )
    })
  })
}

/** What a stage of the loop has written when it was at work. */
const TOPICS: Partial<Record<string, Topic[]>> = {
  segments: ['segments'],
  journeys: ['journeys', 'deliveries'],
  deliveries: ['deliveries'],
}

/** Tells open pages what to load again once it is written, at most twice a second. */
function announceChanges(core: Core, { live }: Huitou): () => void {
  const announce = (...topics: Topic[]) => topics.forEach((topic) => live.announce(topic))
  // Stages and jobs are heard of on every node.
  const announceHere = (...topics: Topic[]) => topics.forEach((topic) => live.announceHere(topic))
  const stops = [
    core.onAdvance((stage) => announceHere(...(TOPICS[stage] ?? ['profiles', 'segments', 'reports']))),
    core.collections.onChange(() => announce('collections')),
    core.tasks.onChange(() => announce('tasks')),
    core.watch.onChange(() => announce('alerts')),
    core.jobs.onChange(({ kind, state }) => {
      if (kind.startsWith('import.')) announceHere('imports')
      if (kind === 'scores' && state !== 'running') announceHere('profiles', 'segments', 'reports')
    }),
  ]
  return () => stops.forEach((stop) => stop())
}
