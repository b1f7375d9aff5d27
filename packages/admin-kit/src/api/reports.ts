import { request, requestFile } from './http.ts'
import type { Localized, ValueType } from './localized.ts'

export interface ReportBlockInfo {
  id: string
  kind: string
  title: Localized
  description?: Localized | null
  span?: number
}

export interface Report {
  id: string
  title: Localized
  description?: Localized | null
  group?: Localized | null
  parameters?: Record<string, unknown> | null
  blocks: ReportBlockInfo[]
}

export interface ReportRun<Block = unknown> {
  blocks: Record<string, Block>
  ranAt: number
  tookMs: number
}

export interface Tile {
  id: string
  title: Localized
  value: number | null
  type: ValueType
  previous?: number | null
  spark?: (number | null)[]
  note?: Localized | string | null
}

export interface Attention {
  kind: string
  title: Localized
  detail?: Localized | string | null
  /** Place to go, or a place with the words for its button. */
  action?: string | { to: string; title?: Localized } | null
}

export interface Home {
  /** Business day that the tiles show: today, or the newest one with data. */
  day: string
  tiles: Tile[]
  attention: Attention[]
}

export const listReports = (signal?: AbortSignal) => request<{ reports: Report[] }>('/reports', { signal })
export const runReport = <Block = unknown>(
  id: string,
  body: { parameters: Record<string, unknown>; segmentId?: string },
  signal?: AbortSignal,
) => request<ReportRun<Block>>(`/reports/${encodeURIComponent(id)}/run`, { body, signal })
export const exportReport = (
  id: string,
  body: { parameters: Record<string, unknown>; format: 'csv' | 'xlsx'; block?: string },
) => requestFile(`/reports/${encodeURIComponent(id)}/export`, { body })
export const getHome = (signal?: AbortSignal) =>
  request<Home>('/home', { signal })
