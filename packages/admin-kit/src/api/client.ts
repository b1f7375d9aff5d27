import type { AppType } from '@huitou/core/client'
import { type ClientResponse, hc } from 'hono/client'
import { send } from './http.ts'

/** Routes below `/api` by path and method, typed from the server's own. Failures are thrown as `ApiError`. */
export const { api } = hc<AppType>('/', { fetch: send })

/** The body of an answer. */
export async function read<T>(answer: Promise<ClientResponse<T, number, 'json'>>): Promise<T> {
  return await (await answer).json()
}

/** Ends with the answer, whose body says nothing. */
export async function done(answer: Promise<ClientResponse<unknown>>): Promise<void> {
  await answer
}

/** A path's `:id`, whatever characters are in it. */
export const at = (id: string | number) => ({ param: { id: encodeURIComponent(id) } })

/** Options of a call that ends when `signal` aborts. */
export const until = (signal: AbortSignal | undefined) => ({ init: signal ? { signal } : {} })
