import { request } from './http.ts'
import type { Localized } from './localized.ts'
import type { Explanation, Rule } from './segments.ts'

export interface CustomerRow {
  id: number
  name: string
  avatarText: string
  columns: Record<string, string | number | boolean | null>
}

export interface CustomerSearch {
  rule?: Rule
  segmentId?: string
  search?: string
  sort?: { column: string; dir: 'asc' | 'desc' }
  columns?: string[]
  cursor?: string
  limit?: number
}

export interface CustomerPage {
  rows: CustomerRow[]
  total: number
  cursor?: string
}

export interface Identifier {
  kind: string
  value: string
  since: number
  events: number
}

export interface Merge {
  id: string
  at: number
  absorbed: Identifier[]
  evidence: unknown
  undoable: boolean
}

export interface Customer {
  id: number
  key: string
  name: string
  columns: Record<string, string | number | boolean | null>
  identifiers: Identifier[]
  merges: Merge[]
  firstSeenAt: number
  lastSeenAt: number
}

export interface TimelineEntry {
  seq: number
  name: string
  title: Localized
  icon?: string
  ts: number
  value?: number | null
  properties: Record<string, unknown>
}

export const searchCustomers = (search: CustomerSearch, signal?: AbortSignal) =>
  request<CustomerPage>('/customers/search', { body: search, signal })
export const getCustomer = (id: number | string, signal?: AbortSignal) =>
  request<Customer>(`/customers/${id}`, { signal })
export const getTimeline = (
  id: number | string,
  query: { before?: number; limit?: number; names?: string },
  signal?: AbortSignal,
) => request<{ entries: TimelineEntry[]; next?: number }>(`/customers/${id}/timeline`, { query, signal })
export const getCustomerSegments = (id: number | string, signal?: AbortSignal) =>
  request<{ segments: { id: string; name: string; since: number; reasons: Explanation['lines'] }[] }>(
    `/customers/${id}/segments`,
    { signal },
  )
export const reveal = (id: number | string, what: { column: string } | { identifier: string }) =>
  request<{ value: string }>(`/customers/${id}/reveal`, { body: what })
export const undoMerge = (mergeId: string) =>
  request<void>(`/customers/merges/${mergeId}/undo`, { method: 'POST' })
