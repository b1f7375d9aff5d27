import { request } from './http.ts'

export type ColumnOp =
  | 'is' | 'is_not' | 'in' | 'not_in' | 'contains' | 'not_contains' | 'starts_with'
  | 'gt' | 'gte' | 'lt' | 'lte' | 'between' | 'is_set' | 'is_not_set'
  | 'within_days' | 'before_days' | 'on_or_after' | 'before' | 'true' | 'false'

export type RuleValue = string | number | boolean | (string | number)[] | null

export type RuleNode =
  | Rule
  | { not: RuleNode }
  | { column: string; op: ColumnOp; value?: RuleValue }
  | {
      event: string
      where?: { property: string; op: ColumnOp; value?: RuleValue }[]
      count: { op: '>=' | '<=' | '='; value: number }
      within?: { days: number }
    }
  | { segment: string }

export type Rule = { all: RuleNode[] } | { any: RuleNode[] }

export interface Segment {
  id: string
  name: string
  kind: 'dynamic' | 'builtin' | 'static'
  owner: string
  group?: string | null
  count: number
  entered24h: number
  left24h: number
  updatedAt: number
  rule: Rule | null
}

export interface SegmentCount {
  count: number
  total: number
  tookMs: number
  steps: { path: string; count: number }[]
}

export interface Explanation {
  member: boolean
  lines: { path: string; ok: boolean; [part: string]: unknown }[]
  history: { at: number; entered: boolean }[]
}

const at = (id: string) => `/segments/${encodeURIComponent(id)}`

export const listSegments = (signal?: AbortSignal) => request<{ segments: Segment[] }>('/segments', { signal })
export const getSegment = (id: string, signal?: AbortSignal) => request<Segment>(at(id), { signal })
export const createSegment = (segment: { name: string; rule: Rule }) =>
  request<Segment>('/segments', { body: segment })
export const saveSegment = (id: string, segment: { name: string; rule: Rule }) =>
  request<Segment>(at(id), { method: 'PUT', body: segment })
export const deleteSegment = (id: string) => request<void>(at(id), { method: 'DELETE' })
export const countSegment = (rule: Rule, signal?: AbortSignal) =>
  request<SegmentCount>('/segments/count', { body: { rule }, signal })
export const explain = (question: ({ rule: Rule } | { segmentId: string }) & { customerId: number }) =>
  request<Explanation>('/segments/explain', { body: question })
export const getSegmentHistory = (id: string, signal?: AbortSignal) =>
  request<{ days: { day: string; count: number; entered: number; left: number }[] }>(`${at(id)}/history`, { signal })
export const getSegmentOverlap = (id: string, signal?: AbortSignal) =>
  request<{ overlaps: { id: string; name: string; count: number; share: number }[] }>(`${at(id)}/overlap`, { signal })
