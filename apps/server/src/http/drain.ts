import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/** Streams stay open by nature; they must not keep the process. */
const STREAMS = /^\/api\/live(?:$|[/?])/

/** Ends a server so that what has begun is answered. */
export interface Drain {
  /** Takes no new connection, waits at most `limitMs` for the answers under way, then cuts what is left. */
  end(limitMs: number): Promise<void>
}

/** Watches the requests of a server from now on. */
export function watchRequests(server: Server): Drain {
  let underWay = 0
  let isEnding = false
  let onIdle: () => void = () => {}
  // First in line: what is ended later must be seen from its beginning.
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    if (STREAMS.test(request.url ?? '')) return
    underWay++
    // A connection that is kept alive would bring the next request after the door is closed.
    if (isEnding) response.shouldKeepAlive = false
    response.once('close', () => {
      underWay--
      if (underWay === 0) onIdle()
    })
  })
  return {
    async end(limitMs) {
      isEnding = true
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
      server.closeIdleConnections()
      if (underWay > 0) {
        const idle = Promise.withResolvers<void>()
        onIdle = idle.resolve
        const late = setTimeout(idle.resolve, limitMs)
        await idle.promise
        clearTimeout(late)
      }
      server.closeAllConnections()
      await closed
    },
  }
}
