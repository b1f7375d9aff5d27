import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve, type ServerType } from '@hono/node-server'
import { createApp, type Core, type NodeRole, type Topic } from '@huitou/core'
import { AppError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { loadDemo, passDemoDays } from '../demo/demo-jobs.ts'
import type { Huitou } from '../open-huitou.ts'
import { startActivation } from '../plugin-activation.ts'
import { docsRoutes } from './docs-page.ts'
import { watchRequests } from './drain.ts'
import { pluginFileRoutes } from './plugin-files.ts'
import { adminRoutes, safeHeaders } from './serve-admin.ts'

export interface ServerOptions {
  port: number
  host: string
  version: string
  /** A worker answers nobody but whoever watches over it. */
  role?: NodeRole
}

/** What a worker answers. */
const WATCHED = new Set(['/healthz', '/readyz', '/metrics'])

export interface RunningServer {
  url: string
  close(): Promise<void>
}

/** The API of an opened Huitou. */
export async function createApi(huitou: Huitou, version: string) {
  const { core, host, live, plugins } = huitou
  return createApp({
    core,
    auth: await huitou.auth(),
    plugins,
    live,
    version,
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
export async function createServerApp(huitou: Huitou, version: string) {
  const api = await createApi(huitou, version)
  const safe = safeHeaders()
  return (
    new Hono()
      // Files of messages say themselves what may be done with them: mail programs show them from elsewhere.
      .use((c, next) => (c.req.path.startsWith('/media/') ? next() : safe(c, next)))
      .route('/api', docsRoutes(api, version))
      .mount('/', (request, ...rest) => api.fetch(request, ...rest), { replaceRequest: false })
  )
}

/** What is being answered when the server stops gets this long. */
const ANSWER_MS = 15_000

/** Addresses that stand in messages. */
const PUBLIC = /^\/(?:l|u|media)\/[^/]+$/

/** Listens, and tells open pages of what changes. */
export async function startServer(
  huitou: Huitou,
  { port, host, version, role = 'all' }: ServerOptions,
): Promise<RunningServer> {
  const api = await createServerApp(huitou, version)
  const admin = adminRoutes()
  const files = pluginFileRoutes(huitou.host)
  const app = new Hono().all('*', async (c) => {
    const { path } = c.req
    if (role === 'worker' && !WATCHED.has(path)) {
      const hint = 'Ask a server whose role is web or all.'
      return c.json({ status: 404, code: 'E_WORKER', title: 'This server is a worker', hint }, 404)
    }
    if (path.startsWith('/plugin-files/')) return await files.fetch(c.req.raw, c.env)
    const ours =
      path.startsWith('/api/') ||
      path.startsWith('/v1/') ||
      path.startsWith('/hooks/') ||
      PUBLIC.test(path) ||
      path === '/healthz'
    return await (ours ? api : admin).fetch(c.req.raw, c.env)
  })
  const stop = announceChanges(huitou.core, huitou)
  const server = await listen(app.fetch, port, host)
  const drain = watchRequests(server as Server)
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
      await stopActivation()
      stop()
      await drain.end(ANSWER_MS)
    },
  }
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
    core.jobs.onChange(({ kind, state }) => {
      if (kind.startsWith('import.')) announceHere('imports')
      if (kind === 'scores' && state !== 'running') announceHere('profiles', 'segments', 'reports')
    }),
  ]
  return () => stops.forEach((stop) => stop())
}
