import { ApiError, request } from '@huitou/admin-kit'

export interface CustomerIdentifier {
  id: number
  kind: string
  /** Masked where it is personal data. */
  value: string
  since: number
  certain?: boolean
}

export interface CustomerMerge {
  id: string
  at: number
  absorbed: { kind: string; value: string }[]
  evidence: { kind: string; value: string }[]
  undoable: boolean
}

export interface CustomerView {
  id: number
  key: string
  name: string
  firstSeenAt: number
  lastSeenAt: number
  eventCount?: number
  columns: Record<string, string | number | boolean | null>
  identifiers: CustomerIdentifier[]
}

export interface TimelineItem {
  seq: number
  name: string
  ts: number
  value?: number | null
  properties: Record<string, unknown>
}

export interface TimelinePage {
  entries: TimelineItem[]
  next?: string | number | null
}

export const readCustomer = (id: string, signal?: AbortSignal) => request<CustomerView>(`/customers/${id}`, { signal })

export const readTimelinePage = (id: string, query: { before?: string; limit: number; names?: string }, signal?: AbortSignal) =>
  request<TimelinePage>(`/customers/${id}/timeline`, { query, signal })

/** What made this customer one person; none when the server keeps no such record. */
export async function readMerges(id: string, signal?: AbortSignal): Promise<CustomerMerge[]> {
  try {
    return (await request<{ merges: CustomerMerge[] }>(`/customers/${id}/merges`, { signal })).merges
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return []
    throw error
  }
}

export const revealValue = (id: string, what: { column: string } | { identifier: number }) =>
  request<{ value: string | number | null }>(`/customers/${id}/reveal`, { body: what })
