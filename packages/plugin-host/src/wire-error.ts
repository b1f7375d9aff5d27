import { AppError } from '@huitou/plugin-api'
import type { ErrorKind } from '@huitou/plugin-api'

/** An error as it crosses a thread or process, and as it is shown beside a plugin. */
export interface WireError {
  message: string
  code: string
  kind: ErrorKind
  hint?: string
  status?: number
  details?: Record<string, unknown>
  stack?: string
}

const kinds: readonly unknown[] = ['user', 'world', 'bug'] satisfies ErrorKind[]

/** Reads codes and hints off any error-like thing; what carries no code of ours is a bug, `E_PLUGIN`. */
export function toWireError(thrown: unknown): WireError {
  if (typeof thrown !== 'object' || thrown === null)
    return { message: String(thrown), code: 'E_PLUGIN', kind: 'bug' }
  const error = thrown as Partial<AppError>
  const ours = typeof error.code === 'string' && error.code.startsWith('E_') && kinds.includes(error.kind)
  const wire: WireError = {
    message: error.message ?? String(thrown),
    code: ours ? error.code! : 'E_PLUGIN',
    kind: ours ? error.kind! : 'bug',
  }
  if (error.stack !== undefined) wire.stack = error.stack
  if (!ours) return wire
  if (error.hint !== undefined) wire.hint = error.hint
  if (error.status !== undefined) wire.status = error.status
  if (isPlain(error.details)) wire.details = error.details
  return wire
}

/** The error on this side, with the stack of the side it came from. */
export function fromWireError({ kind, code, message, stack, ...options }: WireError): AppError {
  const error = new AppError(kind, code, message, options)
  if (stack !== undefined) error.stack = stack
  return error
}

/** Only details that survive JSON cross, so that an error can never fail to be sent. */
function isPlain(details: unknown): details is Record<string, unknown> {
  try {
    return details !== undefined && JSON.stringify(details) !== undefined
  } catch {
    return false
  }
}
