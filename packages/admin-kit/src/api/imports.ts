import { ApiError, apiPath, request, toProblem } from './http.ts'
import type { Problem } from './http.ts'
import type { Localized } from './localized.ts'

export type ImportState =
  | 'uploaded' | 'checking' | 'checked' | 'importing' | 'paused' | 'done' | 'failed' | 'cancelled'

export interface ImportField {
  id: string
  title: Localized | string
  type: 'text' | 'id' | 'money' | 'number' | 'time' | 'phone' | 'email'
  required?: boolean
  pii?: boolean
}

/** Which column fills which field: field id → column positions, in order of preference. */
export interface ImportMapping {
  format: string
  fields: Record<string, number[]>
  /** `shop`, `currency`, `timeZone`, `dateOrder` and what else the source knows. */
  options: Record<string, string | number | boolean>
}

export interface ImportDoubt {
  /** Heading, as in `headers`. */
  column: string
  position: number
  field: string | null
  reason: Localized | string
}

export interface ImportRecognition {
  format: string
  title: Localized | string
  confidence: number
}

export interface ImportProblem {
  code: string
  message: Localized | string
  count: number
  /** `skipped`: not imported; `mended`: imported after a documented mend. */
  outcome: 'skipped' | 'mended'
  example: { row: number; value: string | null; column: string | null }
}

/** What an import would do. */
export interface ImportDryRun {
  rows: number
  /** Rows that belong together count once: orders. */
  groups: number
  /** Number of events by name. */
  events: Record<string, number>
  /** Events that are there already. */
  known: number
  customers: number
  /** Sums of values by event name and currency, decimal. */
  values: Record<string, Record<string, string>>
  firstAt: number | null
  lastAt: number | null
  problemRows: number
  problems: ImportProblem[]
  preview: Record<string, unknown>[]
}

export interface Import {
  id: string
  name: string
  source: string
  state: ImportState
  size: number
  encoding: string | null
  delimiter: string | null
  /** Sheet of a workbook. */
  sheet?: string | null
  headers: string[]
  sample: string[][]
  recognitions: ImportRecognition[]
  mapping: ImportMapping | null
  doubts: ImportDoubt[]
  fields: ImportField[]
  dryRun: ImportDryRun | null
  jobId?: string | null
  result?: Record<string, unknown> | null
  error?: Partial<Problem> | { code: string; message: string; hint?: string } | null
  createdAt: number
}

const at = (id: string) => `/imports/${encodeURIComponent(id)}`

export const listImports = (signal?: AbortSignal) => request<{ imports: Import[] }>('/imports', { signal })
export const getImport = (id: string, signal?: AbortSignal) => request<Import>(at(id), { signal })
/** A mapping, or only another `format` to start from. */
export const saveMapping = (id: string, mapping: ImportMapping | { format: string }) =>
  request<Import>(`${at(id)}/mapping`, { method: 'PUT', body: { mapping } })
export const checkImport = (id: string) => request<Import>(`${at(id)}/check`, { method: 'POST' })
export const startImport = (id: string) => request<Import>(`${at(id)}/start`, { method: 'POST' })
export const pauseImport = (id: string) => request<unknown>(`${at(id)}/pause`, { method: 'POST' })
export const resumeImport = (id: string) => request<unknown>(`${at(id)}/resume`, { method: 'POST' })
export const cancelImport = (id: string) => request<unknown>(`${at(id)}/cancel`, { method: 'POST' })
export const problemsUrl = (id: string) => apiPath(`${at(id)}/problems.csv`)

export interface UploadOptions {
  source: string
  signal?: AbortSignal
  onProgress?: (sent: number, total: number) => void
}

/**
 * Sends a file of any size as it lies on disk and returns the import made of it.
 * XMLHttpRequest, because fetch cannot tell how much has been sent.
 */
export function uploadImport(file: File, options: UploadOptions): Promise<Import> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    xhr.open('POST', apiPath('/imports', { source: options.source, name: file.name }))
    xhr.setRequestHeader('content-type', 'application/octet-stream')
    xhr.upload.onprogress = (event) => options.onProgress?.(event.loaded, event.total || file.size)
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve(JSON.parse(xhr.responseText) as Import)
      else reject(new ApiError(toProblem(xhr.status, xhr.responseText)))
    }
    xhr.onerror = () =>
      reject(new ApiError({ status: 0, code: 'E_OFFLINE', title: 'The upload was interrupted' }))
    xhr.onabort = () => reject(new DOMException('The upload was stopped', 'AbortError'))
    options.signal?.addEventListener('abort', () => xhr.abort(), { once: true })
    xhr.send(file)
  })
}
