import { AppError, userError } from '@huitou/plugin-api'
import { megabytes } from './tarball.ts'

export interface GetOptions {
  /** Answers larger than this, unpacked, are not read to their end. */
  limit: number
  /** For the whole answer, redirects included. */
  timeoutMs: number
  accept?: string
  /** Value of the `Authorization` header for this very address; asked again at each redirect. */
  authorize?: (url: URL) => string | undefined
  signal?: AbortSignal | undefined
}

const MAX_REDIRECTS = 5

/**
 * What stands at `url`. Throws `E_NOT_FOUND` for 404 and `E_REGISTRY_…` for whatever else is not an answer. No secret
 * stands in a message.
 */
export async function httpGet(url: URL, options: GetOptions): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
  try {
    const response = await follow(url, options, signal)
    return await readBody(response, url, options.limit)
  } catch (error) {
    options.signal?.throwIfAborted()
    if (error instanceof AppError) throw error
    if (timeout.aborted) throw tooSlow(url, options.timeoutMs)
    throw unreachable(url, error as Error)
  }
}

/** JSON at `url`; `E_REGISTRY_ANSWER` when it is something else. */
export async function httpGetJson(url: URL, options: GetOptions): Promise<unknown> {
  const bytes = await httpGet(url, { accept: 'application/json', ...options })
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw badAnswer(url, 'is not JSON', cause)
  }
}

/** The error for an answer that means nothing. */
export function badAnswer(url: URL, problem: string, cause?: unknown): AppError {
  return new AppError('world', 'E_REGISTRY_ANSWER', `The answer of ${shown(url)} ${problem}`, {
    hint: 'Check the address of the registry in the settings; it may lead to a sign-in page or another service.',
    cause,
  })
}

async function follow(url: URL, { accept, authorize }: GetOptions, signal: AbortSignal): Promise<Response> {
  let target = url
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const authorization = authorize?.(target)
    const response = await fetch(target, {
      redirect: 'manual',
      signal,
      headers: { accept: accept ?? '*/*', ...(authorization !== undefined && { authorization }) },
    })
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || location === null)
      return checkStatus(response, target)
    await response.body?.cancel()
    target = nextTarget(target, location)
  }
  throw badAnswer(url, `leads on more than ${MAX_REDIRECTS} times`)
}

function nextTarget(from: URL, location: string): URL {
  const target = URL.parse(location, from)
  if (!target || !/^https?:$/.test(target.protocol)) throw badAnswer(from, 'leads to no web address')
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw badAnswer(from, 'leads from https to http')
  }
  target.username = ''
  target.password = ''
  return target
}

function checkStatus(response: Response, url: URL): Response {
  const { status } = response
  if (status === 200) return response
  void response.body?.cancel()
  if (status === 404) {
    throw userError('E_NOT_FOUND', `There is nothing at ${shown(url)}`, {
      status: 404,
      hint: 'Check the name and the version.',
    })
  }
  if (status === 401 || status === 403) {
    throw userError(
      'E_REGISTRY_AUTH',
      `${shown(url)} asks who we are, and refused what we said (${status})`,
      {
        hint: 'Give a token for the registry: in the settings, or in your npm configuration (npm login).',
      },
    )
  }
  throw badAnswer(url, `has the status ${status}`)
}

async function readBody(response: Response, url: URL, limit: number): Promise<Uint8Array> {
  if (Number(response.headers.get('content-length')) > limit) {
    await response.body?.cancel()
    throw tooLarge(url, limit)
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > limit) throw tooLarge(url, limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(url: URL, limit: number): AppError {
  return new AppError(
    'world',
    'E_REGISTRY_TOO_LARGE',
    `${shown(url)} answers with more than ${megabytes(limit)}`,
    {
      hint: 'No plugin is that large; check the address.',
    },
  )
}

function tooSlow(url: URL, timeoutMs: number): AppError {
  return new AppError(
    'world',
    'E_REGISTRY_TIMEOUT',
    `${shown(url)} did not answer within ${timeoutMs / 1000} s`,
    {
      status: 504,
      hint: 'Try again later, or check the network of this machine.',
    },
  )
}

function unreachable(url: URL, error: Error): AppError {
  const reason =
    error.cause instanceof Error
      ? error.cause.message || (error.cause as { code?: string }).code
      : error.message
  return new AppError('world', 'E_REGISTRY_UNREACHABLE', `${shown(url)} cannot be reached: ${reason}`, {
    hint: 'Check the address of the registry, and the network of this machine.',
    cause: error,
  })
}

/** An address as it may stand in a message: what could be a secret is left out. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`
}

/** Text that should have been an address, without the name and password in it. */
export function masked(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@')
}
