/** An error answer of the server, in the form of RFC 9457. */
export interface Problem {
  status: number
  code: string
  title: string
  detail?: string
  hint?: string
}

/** Thrown for every answer that is not 2xx, and with `status` 0 when no answer came. */
export class ApiError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title)
    this.name = 'ApiError'
    this.problem = problem
  }

  get status(): number {
    return this.problem.status
  }

  get code(): string {
    return this.problem.code
  }
}

/** What a failure says to people, whatever form it came in: thrown, or stored with a job or a plugin. */
export function problemOf(failure: unknown): Problem {
  if (failure instanceof ApiError) return failure.problem
  if (failure instanceof Error) return { status: 0, code: '', title: failure.message }
  if (typeof failure !== 'object' || failure === null) return { status: 0, code: '', title: String(failure ?? '') }
  const { code = '', title, message, detail, hint } = failure as Record<string, string | undefined>
  const said = { status: 0, code, title: title ?? message ?? detail ?? code }
  return { ...said, ...(detail && detail !== said.title ? { detail } : {}), ...(hint ? { hint } : {}) }
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Sent as JSON. */
  body?: unknown
  query?: Record<string, string | number | boolean | undefined>
  signal?: AbortSignal
}

/** Asks the server for `path` below `/api` and returns the parsed answer, or throws `ApiError`. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options)
  if (response.status === 204) return undefined as T
  const text = await response.text()
  return (text ? JSON.parse(text) : undefined) as T
}

/** Like `request`, for a file: returns the body and the name the server gave it. */
export async function requestFile(path: string, options: RequestOptions = {}): Promise<{ file: Blob; name: string }> {
  const response = await send(path, options)
  const disposition = response.headers.get('content-disposition') ?? ''
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1]
  const plain = /filename="?([^";]+)"?/i.exec(disposition)?.[1]
  return { file: await response.blob(), name: encoded ? decodeURIComponent(encoded) : (plain ?? 'download') }
}

/** Hands a file to the browser's downloads. */
export function saveFile(file: Blob, name: string): void {
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** Absolute path of an API route with its query. */
export function apiPath(path: string, query: RequestOptions['query'] = {}): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined)
  const search = new URLSearchParams(entries.map(([key, value]) => [key, String(value)])).toString()
  return `/api${path}${search ? `?${search}` : ''}`
}

/** Reads a problem document out of a body, or makes one from the status. */
export function toProblem(status: number, body: string): Problem {
  try {
    const parsed = JSON.parse(body) as Partial<Problem> & { message?: string }
    const title = parsed.title ?? parsed.message ?? `HTTP ${status}`
    return { ...parsed, status, code: parsed.code ?? `E_HTTP_${status}`, title }
  } catch {
    return { status, code: `E_HTTP_${status}`, title: `HTTP ${status}` }
  }
}

async function send(path: string, options: RequestOptions): Promise<Response> {
  const init: RequestInit = { method: options.method ?? (options.body === undefined ? 'GET' : 'POST') }
  if (options.signal) init.signal = options.signal
  if (options.body !== undefined) {
    init.body = JSON.stringify(options.body)
    init.headers = { 'content-type': 'application/json' }
  }
  let response: Response
  try {
    response = await fetch(apiPath(path, options.query), init)
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new ApiError({ status: 0, code: 'E_OFFLINE', title: 'The server did not answer' })
  }
  if (!response.ok) throw new ApiError(toProblem(response.status, await response.text()))
  return response
}
