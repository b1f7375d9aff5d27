import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Faults } from './faults.ts'

export interface SimulatedRequest {
  method: string
  /** Path and query as they came. */
  target: string
  headers: Record<string, string>
  body: Uint8Array
}

export interface SimulatedAnswer {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

/** An HTTP service on this machine whose requests can be made to fail. */
export interface HttpSimulator extends AsyncDisposable {
  readonly url: string
  readonly faults: Faults
}

/** Starts a service on a free port; `answer` sees a request only when no fault keeps it off. */
export async function openHttp(
  answer: (request: SimulatedRequest) => SimulatedAnswer | Promise<SimulatedAnswer>,
): Promise<HttpSimulator> {
  const faults = new Faults()
  const timers = new Set<NodeJS.Timeout>()
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const asked = await readRequest(request)
    const fault = faults.take()
    if (fault === 'hang-up') return void request.socket.destroy()
    if (fault === 'busy') return void response.writeHead(503).end('busy')
    const { status, body, headers = {} } = await answer(asked)
    if (fault === 'lost') return void request.socket.destroy()
    const send = () => {
      const json = body !== undefined && typeof body !== 'string'
      response.writeHead(status, { ...(json ? { 'content-type': 'application/json' } : {}), ...headers })
      response.end(json ? JSON.stringify(body) : body)
    }
    if (fault === undefined) send()
    else timers.add(setTimeout(send, fault.slow))
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    async [Symbol.asyncDispose]() {
      timers.forEach(clearTimeout)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function readRequest(request: IncomingMessage): Promise<SimulatedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return {
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    headers: request.headers as Record<string, string>,
    body: new Uint8Array(Buffer.concat(chunks)),
  }
}
