import { request } from './http.ts'
import type { Localized, ValueType } from './localized.ts'

export interface ColumnOption {
  value: string
  title: Localized
  color?: string
  group?: string
}

export interface Column {
  name: string
  kind: 'trait' | 'feature' | 'score' | 'label' | 'core'
  owner: string
  type: ValueType
  title: Localized
  unit?: Localized | null
  options?: ColumnOption[]
  pii: boolean
  description?: Localized | null
}

export interface EventKind {
  name: string
  title: Localized
  icon?: string
  count: number
  owner: string
}

export interface Columns {
  columns: Column[]
  events: EventKind[]
}

export const getColumns = (signal?: AbortSignal) => request<Columns>('/columns', { signal })
export const searchColumnValues = (name: string, search: string, signal?: AbortSignal) =>
  request<{ values: { value: string; count: number }[] }>(`/columns/${encodeURIComponent(name)}/values`, {
    query: { search: search || undefined },
    signal,
  })
