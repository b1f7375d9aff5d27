import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, read, until } from './client.ts'

const one = api.deliveries[':id{[0-9]+}']

type Listed = InferResponseType<typeof api.deliveries.$get>
export type Delivery = Listed['deliveries'][number]
export type DeliveryState = Delivery['state']
/** A delivery with its history and what it said. */
export type DeliveryDetails = InferResponseType<typeof one.$get>
export type DeliverySummary = InferResponseType<typeof api.deliveries.summary.$get>
export type Answer = InferRequestType<typeof one.receipts.$post>['json']

/** What of the log is wanted; whatever is left out does not matter. */
export interface DeliveryFilter {
  kind?: 'message' | 'action' | undefined
  /** One state, or several with commas between them. */
  state?: string | undefined
  reason?: string | undefined
  channel?: string | undefined
  journeyId?: string | undefined
  node?: string | undefined
  customerId?: string | undefined
  /** Planned from this moment on, and before that one. */
  from?: number | undefined
  to?: number | undefined
}

function queryOf({ from, to, ...filter }: DeliveryFilter) {
  return { ...filter, from: from?.toString(), to: to?.toString() }
}

export const listDeliveries = (
  { before, limit = 50, ...filter }: DeliveryFilter & { before?: number | undefined; limit?: number },
  signal?: AbortSignal,
) =>
  read(
    api.deliveries.$get(
      { query: { ...queryOf(filter), before: before?.toString(), limit: String(limit) } },
      until(signal),
    ),
  )
export const summarizeDeliveries = (filter: DeliveryFilter, signal?: AbortSignal) =>
  read(api.deliveries.summary.$get({ query: queryOf(filter) }, until(signal)))
export const getDelivery = (id: number | string, signal?: AbortSignal) =>
  read(one.$get(at(id), until(signal)))
/** Puts dead letters in line again: those named, those of a channel, or all. */
export const replayDeliveries = (which: { ids?: number[]; channel?: string }) =>
  read(api.deliveries.replay.$post({ json: which }))
/** What a person found out about a message whose fate nobody knew. */
export const settleDelivery = (id: number, outcome: 'sent' | 'absent') =>
  read(one.settle.$post({ ...at(id), json: { outcome } }))
export const cancelDelivery = (id: number) => read(one.cancel.$post(at(id)))
/** Plays the customer, on a channel that reaches nobody. */
export const answerDelivery = (id: number, answer: Answer) =>
  read(one.receipts.$post({ ...at(id), json: answer }))
