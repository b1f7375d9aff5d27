import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, read, until } from './client.ts'
import { ApiError, toProblem } from './http.ts'

const one = api.imports[':id']

export type Import = InferResponseType<typeof one.$get>
export type ImportState = Import['state']
export type ImportField = Import['fields'][number]
/** Which column fills which field: field id → column positions, in order of preference. */
export type ImportMapping = NonNullable<Import['mapping']>
export type ImportRecognition = Import['recognitions'][number]
/** What an import would do. */
export type ImportDryRun = NonNullable<Import['dryRun']>
export type ImportProblem = ImportDryRun['problems'][number]

export const listImports = (signal?: AbortSignal) => read(api.imports.$get({ query: {} }, until(signal)))
export const getImport = (id: string, signal?: AbortSignal) => read(one.$get(at(id), until(signal)))
/** A mapping, or only another `format` to start from. */
export const saveMapping = (id: string, mapping: ImportMapping | { format: string }) =>
  read(one.mapping.$put({ ...at(id), json: { mapping: { ...mapping } } }))
export const checkImport = (id: string) => read(one.check.$post(at(id)))
export const startImport = (id: string) => read(one.start.$post(at(id)))
export const pauseImport = (id: string) => read(one.pause.$post(at(id)))
export const resumeImport = (id: string) => read(one.resume.$post(at(id)))
export const cancelImport = (id: string) => read(one.cancel.$post(at(id)))
export const problemsUrl = (id: string): string => one['problems.csv'].$path(at(id))

export interface UploadOptions extends Pick<InferRequestType<typeof api.imports.$post>['query'], 'source'> {
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
    xhr.open('POST', api.imports.$path({ query: { source: options.source, name: file.name } }))
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
