/** An error answer of the server, in the form of RFC 9457. */
export interface Problem {
  status: number
  code: string
  title: string
  detail?: string
  hint?: string
  /** Facts about the case, by name. */
  details?: Record<string, unknown>
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
  if (typeof failure !== 'object' || failure === null)
    return { status: 0, code: '', title: String(failure ?? '') }
  const { details } = failure as { details?: Record<string, unknown> }
  const { code = '', title, message, detail, hint } = failure as Record<string, string | undefined>
  const said = { status: 0, code, title: title ?? message ?? detail ?? code }
  return {
    ...said,
    ...(detail && detail !== said.title ? { detail } : {}),
    ...(hint ? { hint } : {}),
    ...(details ? { details } : {}),
  }
}

/** `fetch` that throws every answer but a good one as `ApiError`. */
export async function send(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  let response: Response
  try {
    response = await fetch(input, { credentials: 'same-origin', ...init })
  } catch (error) {
    if (init?.signal?.aborted) throw error
    throw new ApiError({ status: 0, code: 'E_OFFLINE', title: 'The server did not answer' })
  }
  if (!response.ok) throw new ApiError(toProblem(response.status, await response.text()))
  return response
}

/** Sends JSON to a route that the typed client does not know: those of the sign-in library. */
export async function postJson(path: string, body: object): Promise<void> {
  await send(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
}

/** A file the server answered with: its body and the name the server gave it. */
export async function readFile(
  response: Pick<Response, 'headers' | 'blob'>,
): Promise<{ file: Blob; name: string }> {
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
