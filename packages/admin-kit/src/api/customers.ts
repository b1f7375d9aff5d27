import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'

const one = api.customers[':id{[0-9]+}']

export type CustomerSearch = InferRequestType<typeof api.customers.search.$post>['json']
export type CustomerPage = InferResponseType<typeof api.customers.search.$post>
export type CustomerRow = CustomerPage['rows'][number]
/** One customer; personal data masked. */
export type Customer = InferResponseType<typeof one.$get>
export type CustomerIdentifier = Customer['identifiers'][number]
export type CustomerMerge = InferResponseType<typeof one.merges.$get>['merges'][number]
export type CustomerEnrolment = InferResponseType<typeof one.journeys.$get>['enrolments'][number]
export type TimelinePage = InferResponseType<typeof one.timeline.$get>
export type TimelineEntry = TimelinePage['entries'][number]
type NewBulkAction = InferRequestType<typeof api.customers.actions.$post>['json']
/** Whom something is done to: all that a list of customers shows. */
type BulkWho = Pick<NewBulkAction, 'rule' | 'segmentId' | 'search'>

export interface TimelineQuery {
  /** `next` of the page before. */
  before?: string
  limit: number
  /** Event names; `order.*` stands for all that begin so. */
  names?: string[]
}

export const searchCustomers = (search: CustomerSearch, signal?: AbortSignal) =>
  read(api.customers.search.$post({ json: search }, until(signal)))
export const getCustomer = (id: number | string, signal?: AbortSignal) =>
  read(one.$get(at(id), until(signal)))
export const getTimeline = (
  id: number | string,
  { before, limit, names }: TimelineQuery,
  signal?: AbortSignal,
) =>
  read(
    one.timeline.$get(
      { ...at(id), query: { before, limit: String(limit), names: names?.join(',') } },
      until(signal),
    ),
  )
export const getCustomerSegments = (id: number | string, signal?: AbortSignal) =>
  read(one.segments.$get(at(id), until(signal)))
/** Journeys a customer is or was in, newest first. */
export const getCustomerJourneys = (id: number | string, signal?: AbortSignal) =>
  read(one.journeys.$get(at(id), until(signal)))
/** What made this customer one person. */
export const getMerges = (id: number | string, signal?: AbortSignal) =>
  read(one.merges.$get(at(id), until(signal)))
export const reveal = (
  id: number | string,
  what: { column: string } | { identifier: number } | { event: number },
) => read(one.reveal.$post({ ...at(id), json: what }))
export const undoMerge = (merge: string) =>
  done(api.customers.merges[':merge{[0-9]+-[0-9]+}'].undo.$post({ param: { merge } }))
/** What extensions can do to many customers. */
export const listBulkActions = (signal?: AbortSignal) => read(api.customers.actions.$get({}, until(signal)))
/** How many customers something would be done to. */
export const countBulk = (who: BulkWho, signal?: AbortSignal) =>
  read(api.customers.actions.count.$post({ json: who }, until(signal)))
/** Begins to do something to as many customers as were counted, as a job. */
export const startBulk = (action: NewBulkAction) => read(api.customers.actions.$post({ json: action }))
