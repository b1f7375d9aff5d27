import { randomUUID } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Logger } from '@huitou/core'
import type { FindClient } from './trusted-proxies.ts'

/** A request that was answered, or whose sender went away. */
export interface Answered {
  method: string
  /** Pattern, never the address itself: that may hold names and tokens. */
  route: string
  status: number
  ms: number
  bytes: number
}

export interface FrontDoorOptions {
  findClient: FindClient
  log: Logger & { debug?(facts: object, message: string): void }
  onAnswered(answered: Answered): void
}

/** What is learned about a request on its way through. */
const routes = new WeakMap<IncomingMessage, string>()

/** Says which route answers a request. */
export function noteRoute(request: IncomingMessage | undefined, route: string): void {
  if (request) routes.set(request, route)
}

/** Headers that only this door may set; what a sender writes there is read here and taken out. */
const OURS = /^(?:x-forwarded-[a-z-]+|forwarded|x-real-ip|x-request-id)$/i
/** Enough for every tracing system, and nothing that could forge a line of the log. */
const SANE_ID = /^[\w.:-]{8,100}$/
/** Asked all the time by machines; a line for each would hide the others. */
const QUIET = /^(?:\/v1\/|\/healthz$|\/readyz$|\/metrics$|admin$|plugin-files$)/

/**
 * Gives every request of a server an id, which its answer carries, finds out who sent it, and writes one line about it
 * when it is answered: what was asked, in what form, how it went and how long it took, and nothing about anybody.
 */
export function openFrontDoor(server: Server, { findClient, log, onAnswered }: FrontDoorOptions): void {
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const started = performance.now()
    const given = request.headers['x-request-id']
    const id = typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID()
    const { address, isSecure } = findClient(request)
    replaceHeaders(request, {
      'X-Request-Id': id,
      'X-Forwarded-For': address,
      'X-Forwarded-Proto': isSecure ? 'https' : 'http',
    })
    response.setHeader('X-Request-Id', id)
    if (isSecure) response.setHeader('Strict-Transport-Security', 'max-age=31536000')
    response.once('close', () => {
      const route = routes.get(request) ?? 'unknown'
      const answered: Answered = {
        method: request.method ?? '',
        route,
        // Nobody waited for the answer any more.
        status: response.headersSent ? response.statusCode : 499,
        ms: Math.round((performance.now() - started) * 10) / 10,
        bytes: Number(response.getHeader('content-length') ?? 0),
      }
      onAnswered(answered)
      const facts = {
        requestId: id,
        method: answered.method,
        route,
        status: answered.status,
        ms: answered.ms,
      }
      if (answered.status >= 500) log.warn(facts, 'Request')
      else if (QUIET.test(route) && answered.status < 400) log.debug?.(facts, 'Request')
      else log.info(facts, 'Request')
    })
  })
}

/** The server reads headers as they came over the wire, so they are changed there. */
function replaceHeaders(request: IncomingMessage, headers: Record<string, string>): void {
  const { rawHeaders } = request
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2)
    if (OURS.test(rawHeaders[at] ?? '')) rawHeaders.splice(at, 2)
  for (const name of Object.keys(request.headers)) if (OURS.test(name)) delete request.headers[name]
  for (const [name, value] of Object.entries(headers)) {
    rawHeaders.push(name, value)
    request.headers[name.toLowerCase()] = value
  }
}
