import { request } from 'node:http'
import { buffer as bytes } from 'node:stream/consumers'
import { AppError } from '@huitou/plugin-api'
import type { FetchInit, FetchResponse } from '@huitou/plugin-api'

/**
 * A `fetch` like the one that plugins are handed, which reaches simulators under the names of what they stand in for:
 * `{ 'dysmsapi.aliyuncs.com': simulator.url }`. Fails with the same codes, and reaches nothing else.
 */
export function routeFetch(routes: Readonly<Record<string, string>>) {
  return async (url: string, init: FetchInit = {}): Promise<FetchResponse> => {
    const wanted = new URL(url)
    const at = routes[wanted.host]
    if (at === undefined) throw new AppError('user', 'E_PERMISSION', `${wanted.host} is not simulated`)
    const { status, headers, body } = await ask(new URL(at), wanted, init)
    const text = () => new TextDecoder().decode(body)
    return {
      ok: status >= 200 && status < 300,
      status,
      statusText: '',
      url,
      headers: { get: (name) => headers.get(name.toLowerCase()) ?? null, entries: () => headers.entries() },
      text: async () => text(),
      json: async () => JSON.parse(text()) as unknown,
      bytes: async () => body,
    }
  }
}

function ask(at: URL, wanted: URL, { method = 'GET', headers = {}, body, timeoutMs = 30_000 }: FetchInit) {
  return new Promise<{ status: number; headers: Map<string, string>; body: Uint8Array }>(
    (resolve, reject) => {
      const fail = (error: Error & { code?: string }) =>
        reject(
          error.name === 'TimeoutError' || error.cause instanceof DOMException
            ? new AppError('world', 'E_FETCH_TIMEOUT', `${wanted.host} did not answer in time`)
            : new AppError('world', 'E_FETCH', `${wanted.host} cannot be reached: ${error.code}`, {
                details: { host: wanted.host, ...(error.code ? { reason: error.code } : {}) },
              }),
        )
      const call = request(
        {
          host: at.hostname,
          port: at.port,
          method,
          path: `${wanted.pathname}${wanted.search}`,
          headers: { ...headers, host: wanted.host },
          agent: false,
          signal: AbortSignal.timeout(timeoutMs),
        },
        (answer) => {
          const headers = Object.entries(answer.headers).map(
            ([name, value]) => [name, String(value)] as const,
          )
          void bytes(answer).then(
            (read) => resolve({ status: answer.statusCode ?? 0, headers: new Map(headers), body: read }),
            fail,
          )
        },
      )
      call.on('error', fail)
      call.end(body)
    },
  )
}
