import { type AppError, userError } from '@huitou/plugin-api'

/** Most rows that one query answers. */
export const ROW_LIMIT = 10_000
/** Most characters of text and digits in an answer; a row of numbers counts little, long properties count much. */
export const ANSWER_LIMIT = 16 * 1_024 * 1_024

/** Most nodes, and nodes within nodes, of one query. */
export const NODE_LIMIT = 4_000
export const DEPTH_LIMIT = 250
export const VALUE_LIMIT = 5_000
export const TEXT_LIMIT = 10_000
/** What PostgreSQL keeps of a name; longer ones would be cut, and two of them become one. */
export const NAME_BYTES = 63

/** The query is not one that plugins can make. */
export function queryError(message: string, hint?: string): AppError {
  return userError('E_QUERY', message, hint === undefined ? {} : { hint })
}

/** The database knows the query for wrong. What it says may name values, so it goes into the log and no further. */
export function refusedError(message: string): AppError {
  return userError('E_QUERY', 'The database cannot run this query', {
    hint: 'Check that what it compares and computes with is of one type; the server log has the details.',
    cause: new Error(message),
  })
}

export function deadlineError(deadlineMs: number): AppError {
  return userError('E_QUERY_DEADLINE', `The query took longer than ${deadlineMs} ms and was ended`, {
    status: 504,
    hint: 'Ask for fewer rows, or filter by an indexed column: customer_id, or name and ts of events.',
  })
}

export function largeError(): AppError {
  return userError('E_QUERY_ANSWER', `The answer is larger than ${ANSWER_LIMIT / 1_024 / 1_024} MB`, {
    hint: 'Select fewer columns, or page by a key.',
  })
}

/** What a plugin wrote, for an error message: a text in short, of anything else only what it is. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : `(${typeof value})`
}
