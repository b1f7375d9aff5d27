import { lookup as dnsLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { AppError, permissionError, userError } from '@huitou/plugin-api'
import type { FetchInit, Permissions } from '@huitou/plugin-api'
import { Agent, fetch } from 'undici'
import type { Dispatcher, Response } from 'undici'
import type { FetchAnswer } from './effects.ts'
import { FetchRate } from './fetch-rate.ts'
import { fitsHost, namesLiterally } from './host-pattern.ts'
import { isPrivateAddress } from './private-address.ts'

const bodyLimit = 10 * 1_024 * 1_024
const longestMs = 30_000
const mostRedirects = 5
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** They say how bytes travel or whom they are for, which is not the plugin's to say. */
const ownHeaders =
  /^(?:host|connection|keep-alive|transfer-encoding|content-length|upgrade|te|trailer|expect|proxy-.*|sec-.*)$/i
/** They must not reach another host than the one they were meant for. */
const secretHeaders = /^(?:authorization|cookie|x-api-key)$/i

export interface FetchOptions {
  /** How names become addresses; the system's own way if absent. */
  lookup?: LookupAll
  clock: { now(): number }
}

type LookupAll = (
  hostname: string,
  answer: (error: Error | null, addresses: { address: string; family: number }[]) => void,
) => void

/** Who fetches, and where to. */
export interface Fetcher {
  readonly pluginId: string
  readonly permissions: Permissions
  readonly signal: AbortSignal
}

/**
 * `fetch` of plugins: only to granted hosts, redirects included; to private networks only when they are granted by
 * their own address or name. The address that was checked is the one that is connected to. 10 MB, 30 s.
 */
export class PluginFetch {
  readonly #lookup: LookupAll
  readonly #rate: FetchRate
  readonly #agents = new Map<string, { grants: string; agent: Agent }>()

  constructor({ lookup = systemLookup, clock }: FetchOptions) {
    this.#lookup = lookup
    this.#rate = new FetchRate(clock)
  }

  async fetch(fetcher: Fetcher, url: string, init: FetchInit): Promise<FetchAnswer> {
    const request = toRequest(init)
    const release = this.#rate.enter(fetcher.pluginId)
    const time = AbortSignal.timeout(Math.min(longestMs, request.timeoutMs))
    try {
      const signal = AbortSignal.any([fetcher.signal, time])
      return await this.#follow(fetcher, url, { ...request, signal })
    } catch (error) {
      throw toFetchError(error, { url, timedOut: time.aborted })
    } finally {
      release()
    }
  }

  /** Closes connections that are kept open. */
  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map(({ agent }) => agent.destroy()))
    this.#agents.clear()
  }

  async #follow(fetcher: Fetcher, start: string, request: Request): Promise<FetchAnswer> {
    let { method, headers, body } = request
    let url = start
    for (let redirects = 0; ; redirects++) {
      this.#checkHost(fetcher, url)
      const response = await fetch(url, {
        method,
        headers,
        body: body ?? null,
        redirect: 'manual',
        signal: request.signal,
        dispatcher: this.#agentOf(fetcher),
      })
      const location = redirectOf(response)
      if (location === undefined || request.redirect === 'manual') return await toAnswer(response, url)
      await response.body?.cancel()
      if (request.redirect === 'error')
        throw userError('E_FETCH_REDIRECT', `${hostOf(url)} answered with a redirect`, { status: 502 })
      if (redirects === mostRedirects || !URL.canParse(location, url))
        throw new AppError('world', 'E_FETCH', `${hostOf(url)} redirects without end`)
      const next = new URL(location, url)
      if (next.origin !== new URL(url).origin) headers = headers.filter(([name]) => !secretHeaders.test(name))
      if (response.status === 303 || (response.status < 303 && method === 'POST')) {
        if (method !== 'HEAD') method = 'GET'
        body = undefined
        headers = headers.filter(([name]) => !/^content-/i.test(name))
      }
      url = next.href
    }
  }

  /** An address in the URL itself is never looked up, so it is checked here. */
  #checkHost({ pluginId, permissions }: Fetcher, url: string): void {
    const patterns = (permissions.network ?? []).filter((pattern) => fitsHost(pattern, url))
    if (patterns.length === 0) throw permissionError(pluginId, 'network', hostOf(url))
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) && isPrivateAddress(host) && !patterns.some((pattern) => namesLiterally(pattern, host)))
      throw privateError(host)
  }

  #agentOf({ pluginId, permissions }: Fetcher): Dispatcher {
    const patterns = permissions.network ?? []
    const grants = JSON.stringify(patterns)
    const known = this.#agents.get(pluginId)
    if (known?.grants === grants) return known.agent
    // What was allowed to be connected to then need not be allowed now.
    void known?.agent.destroy()
    const agent = new Agent({
      connect: { lookup: checkedLookup(this.#lookup, patterns), timeout: 10_000 },
      connections: 16,
      headersTimeout: longestMs,
      bodyTimeout: longestMs,
      keepAliveTimeout: 4_000,
      maxResponseSize: -1,
    })
    this.#agents.set(pluginId, { grants, agent })
    return agent
  }
}

interface Request extends Required<Pick<FetchInit, 'method' | 'redirect' | 'timeoutMs'>> {
  headers: [string, string][]
  body: string | Uint8Array<ArrayBuffer> | undefined
  signal?: AbortSignal
}

function toRequest({
  method = 'GET',
  headers = {},
  body,
  redirect = 'follow',
  timeoutMs = longestMs,
}: FetchInit): Request {
  const name = String(method).toUpperCase()
  if (!methods.has(name))
    throw userError('E_FETCH_REQUEST', `"${name.slice(0, 20)}" is not a method that plugins can use`)
  if (!['follow', 'manual', 'error'].includes(redirect))
    throw userError('E_FETCH_REQUEST', 'A redirect is "follow", "manual" or "error"')
  if (!(timeoutMs > 0)) throw userError('E_FETCH_REQUEST', 'A timeout is a number of milliseconds')
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array))
    throw userError('E_FETCH_REQUEST', 'A body is a text or bytes')
  if (body !== undefined && body.length > bodyLimit) throw tooLarge('A request')
  const list = Object.entries(headers).map(([key, value]): [string, string] => [key, String(value)])
  const odd = list.find((entry) => !isHeader(entry))
  if (odd)
    throw userError('E_FETCH_REQUEST', `"${odd[0].slice(0, 60)}" is no header that can be sent`, {
      hint: 'A header is a name and one line of Latin text; encode anything else.',
    })
  return {
    method: name,
    headers: list.filter(([key]) => !ownHeaders.test(key)),
    body: body as Request['body'],
    redirect,
    timeoutMs,
  }
}

function isHeader(entry: [string, string]): boolean {
  try {
    return new Headers([entry]).has(entry[0])
  } catch {
    return false
  }
}

/** Reads the answer, and stops as soon as it is too large: what was packed counts unpacked. */
async function toAnswer(response: Response, url: string): Promise<FetchAnswer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).byteLength
    if (size > bodyLimit) throw tooLarge('An answer')
    chunks.push(chunk as Uint8Array)
  }
  return {
    status: response.status,
    statusText: response.statusText,
    url,
    headers: [...response.headers.entries()],
    body: new Uint8Array(Buffer.concat(chunks)),
  }
}

function redirectOf({ status, headers }: Response): string | undefined {
  return [301, 302, 303, 307, 308].includes(status) ? (headers.get('location') ?? undefined) : undefined
}

/** Looks a name up and refuses private addresses, right where the connection takes the address from. */
function checkedLookup(lookup: LookupAll, patterns: readonly string[]): LookupFunction {
  return (hostname, options, answer) => {
    lookup(hostname, (error, addresses) => {
      if (error) return answer(error, '', 0)
      const internal =
        isInternalName(hostname) && patterns.some((pattern) => namesLiterally(pattern, hostname))
      const refused = internal ? undefined : addresses.find(({ address }) => isPrivateAddress(address))
      if (refused) return answer(privateError(hostname), '', 0)
      const [first] = addresses
      if (!first) return answer(new Error(`${hostname} has no address`), '', 0)
      if (options.all) answer(null, addresses)
      else answer(null, first.address, first.family)
    })
  }
}

/** Names that cannot mean anything but a machine of one's own; who grants one grants what it leads to. */
function isInternalName(hostname: string): boolean {
  return !hostname.includes('.') || /\.(?:localhost|local|internal|lan|home\.arpa)$/i.test(hostname)
}

function systemLookup(hostname: string, answer: Parameters<LookupAll>[1]): void {
  dnsLookup(hostname, { all: true }, answer)
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url.slice(0, 100)
}

function privateError(host: string): AppError {
  return userError('E_FETCH_PRIVATE', `"${host}" leads into a private network`, {
    status: 403,
    hint: 'A plugin reaches private networks only at addresses that its network permission names one by one.',
    details: { host },
  })
}

function tooLarge(what: string): AppError {
  return userError('E_FETCH_TOO_LARGE', `${what} may hold ${bodyLimit / 1_024 / 1_024} MB`, { status: 413 })
}

function toFetchError(error: unknown, { url, timedOut }: { url: string; timedOut: boolean }): unknown {
  for (let found = error; found instanceof Error; found = found.cause)
    if (found instanceof AppError) return found
  const host = hostOf(url)
  if (timedOut)
    return new AppError('world', 'E_FETCH_TIMEOUT', `${host} did not answer in time`, {
      status: 504,
      details: { host },
    })
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const reason = (cause as { code?: unknown })?.code
  return new AppError(
    'world',
    'E_FETCH',
    `${host} cannot be reached${typeof reason === 'string' ? `: ${reason}` : ''}`,
    { details: { host, ...(typeof reason === 'string' ? { reason } : {}) } },
  )
}
