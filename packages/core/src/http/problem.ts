import { AppError } from '@huitou/plugin-api'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { sql } from 'kysely'
import type { Logger } from '../context.ts'
import type { Db } from '../db/database.ts'
import { databaseAway, findStorageError } from '../db/storage-errors.ts'
import { findRoute } from './route-pattern.ts'

/** RFC 9457 problem document with a stable `code` and a hint. */
export interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail: string
  hint?: string
  details?: Record<string, unknown>
  /** Names the request in the server's log. */
  requestId?: string
}

/** Answers an error as a problem document. What is our fault is logged and told without its inner text. */
export function answerProblem(c: Context, error: Error, log: Logger): Response {
  const problem = toProblem(findStorageError(error) ?? error)
  if (problem.status >= 500) {
    log.error(
      {
        code: problem.code,
        // Not the address: it may hold a customer's token.
        route: findRoute(c),
        method: c.req.method,
        error: error.message,
        stack: error.stack,
      },
      'A request failed',
    )
  }
  if (problem.status === 503) c.header('Retry-After', '5')
  const requestId = c.req.header('X-Request-Id')
  return c.body(
    JSON.stringify(requestId ? { ...problem, requestId } : problem),
    problem.status as ContentfulStatusCode,
    {
      'Content-Type': 'application/problem+json',
    },
  )
}

/** Longest that the database may take to say that it is there. */
const SIGN_OF_LIFE_MS = 3_000

/**
 * The error that says that the database is away, when that is what lies behind one that does not say what happened: a
 * library between the database and us keeps only the fact that it failed. Any other error is returned as it is.
 */
export async function findCause(error: Error, db: Db): Promise<Error> {
  if (toProblem(findStorageError(error) ?? error).status !== 500) return error
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), SIGN_OF_LIFE_MS)
  const answers = sql`select 1`.execute(db).then(
    () => true,
    () => false,
  )
  const isThere = await Promise.race([answers, late.promise])
  clearTimeout(timer)
  return isThere ? error : databaseAway(error)
}

export function toProblem(error: Error): Problem {
  if (error instanceof AppError) {
    return {
      type: `urn:huitou:error:${error.code}`,
      title: error.code,
      status: error.status,
      code: error.code,
      detail: error.message,
      ...(error.hint ? { hint: error.hint } : {}),
      ...(error.details ? { details: error.details } : {}),
    }
  }
  if (error instanceof HTTPException) {
    return {
      type: 'about:blank',
      title: 'E_HTTP',
      status: error.status,
      code: 'E_HTTP',
      detail: error.message || 'The request was refused',
    }
  }
  return {
    type: 'about:blank',
    title: 'E_UNEXPECTED',
    status: 500,
    code: 'E_UNEXPECTED',
    detail: 'Something went wrong on our side',
    hint: 'Try again; if it stays, look into the server log.',
  }
}
