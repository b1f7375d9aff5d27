import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, done, read, until } from './client.ts'

const requests = api.privacy.requests

export type PrivacyRequest = InferResponseType<typeof requests.$get, 200>['requests'][number]
export type NewPrivacyRequest = InferRequestType<typeof requests.$post>['json']
export type Deadlines = InferRequestType<typeof requests.deadlines.$put>['json']

/** Open requests by when they are due, or closed ones with the latest first. */
export const listRequests = (
  { state, skip = 0 }: { state: 'open' | 'closed'; skip?: number },
  signal?: AbortSignal,
) => read(requests.$get({ query: { state, skip: String(skip) } }, until(signal)))
/** Everything that a customer asked for, the latest first. */
export const listRequestsOf = (customerId: number, signal?: AbortSignal) =>
  read(requests.$get({ query: { customerId: String(customerId) } }, until(signal)))
export const openRequest = (request: NewPrivacyRequest) => read(requests.$post({ json: request }))
export const takeRequest = (id: string) => done(requests[':id'].take.$post({ param: { id } }))
export const finishRequest = (id: string, end: { state: 'done' | 'refused'; answer: string }) =>
  done(requests[':id'].finish.$post({ param: { id }, json: end }))
export const getDeadlines = (signal?: AbortSignal) => read(requests.deadlines.$get({}, until(signal)))
export const saveDeadlines = (deadlines: Deadlines) => read(requests.deadlines.$put({ json: deadlines }))
