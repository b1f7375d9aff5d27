import type { InferResponseType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'

const policy = api['contact-policy']
const consents = api.customers[':id{[0-9]+}'].consents
const reachable = api.customers[':id{[0-9]+}'].reachable

export type ContactPolicy = InferResponseType<typeof policy.$get>
export type PolicyPreview = InferResponseType<typeof policy.preview.$post>
export type PolicyEffect = PolicyPreview['draft']
export type ChannelRates = InferResponseType<typeof policy.rates.$get>['channels'][number]
type RateHistory = InferResponseType<typeof policy.rates.history.$get>
/** What became of what was sent on one channel in one day or week. */
export type RatePeriod = RateHistory['periods'][number]
export type BudgetUse = InferResponseType<typeof policy.budgets.$get>['budgets'][number]
export type CustomerConsents = InferResponseType<typeof consents.$get>

export const getContactPolicy = (signal?: AbortSignal) => read(policy.$get({}, until(signal)))
export const saveContactPolicy = (draft: ContactPolicy) => read(policy.$put({ json: draft }))
/** What another policy would have made of the last 30 days' messages. */
export const previewContactPolicy = (draft: ContactPolicy, signal?: AbortSignal) =>
  read(policy.preview.$post({ json: draft }, until(signal)))
export const getChannelRates = (signal?: AbortSignal) => read(policy.rates.$get({}, until(signal)))
/** How customers answered over time, and how well those keep up who confirm messages. */
export const getRateHistory = (
  { by, days, journeyId }: { by: 'day' | 'week'; days: number; journeyId?: string },
  signal?: AbortSignal,
) =>
  read(
    policy.rates.history.$get(
      { query: { by, days: String(days), ...(journeyId ? { journeyId } : {}) } },
      until(signal),
    ),
  )
export const getBudgetUse = (signal?: AbortSignal) => read(policy.budgets.$get({}, until(signal)))

export const getConsents = (customer: number | string, signal?: AbortSignal) =>
  read(consents.$get(at(customer), until(signal)))
/** Says that an address works after all. */
export const markReachable = (customer: number | string, channel: string) =>
  done(reachable.$post({ ...at(customer), json: { channel } }))
export const changeConsent = (
  customer: number | string,
  change: {
    channel: string
    purpose: 'marketing' | 'service' | 'profiling'
    state: 'granted' | 'withdrawn'
    reason: string
    /** What the customer was shown, or what was read out to them. */
    text?: { id: string; version: number }
  },
) => done(consents.$post({ ...at(customer), json: change }))
