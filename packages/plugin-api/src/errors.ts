/**
 * Whose error it is. `user` can be mended by the caller (4xx), `world` is an outside service or the machine
 * and may pass (502/503, retried), `bug` is ours or a plugin's (500, reported).
 */
export type ErrorKind = 'user' | 'world' | 'bug'

export interface AppErrorOptions {
  /** What to do next, in one sentence. */
  hint?: string
  /** HTTP status when the kind's own does not say enough. */
  status?: number
  /** Facts for machines; never personal data. */
  details?: Record<string, unknown>
  cause?: unknown
}

/**
 * Base of every error that reaches a person: the message says what happened to which thing, `hint` what to do,
 * `code` is stable and starts with `E_`, `kind` decides status, log level and retry in one place.
 */
export class AppError extends Error {
  readonly code: string
  readonly kind: ErrorKind
  readonly hint: string | undefined
  readonly status: number
  readonly details: Record<string, unknown> | undefined

  constructor(kind: ErrorKind, code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.kind = kind
    this.code = code
    this.hint = options.hint
    this.status = options.status ?? { user: 400, world: 502, bug: 500 }[kind]
    this.details = options.details
  }
}

/** An {@link AppError} that the caller can mend. */
export function userError(code: string, message: string, options?: AppErrorOptions): AppError {
  return new AppError('user', code, message, options)
}

/** The thing asked for does not exist (404). */
export function notFound(thing: string, id: string | number): AppError {
  return new AppError('user', 'E_NOT_FOUND', `${thing} "${id}" does not exist`, { status: 404 })
}
