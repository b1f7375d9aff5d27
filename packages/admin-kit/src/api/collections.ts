import type { InferResponseType } from 'hono/client'
import { api, read, until } from './client.ts'
import { readFile, send } from './http.ts'

const all = api.collections
const one = all[':plugin'][':collection']
const record = one.records[':id']

export type Collection = InferResponseType<typeof all.$get, 200>['collections'][number]
export type CollectionField = Collection['fields'][number]
export type RecordPage = InferResponseType<typeof one.records.$get, 200>
export type StoredRecord = RecordPage['records'][number]
export type RecordNames = RecordPage['names']
export type RecordAnswer = InferResponseType<typeof record.$get, 200>
export type RecordHistory = InferResponseType<typeof record.history.$get, 200>
export type RecordGroups = InferResponseType<typeof one.groups.$get, 200>['groups']

/** Which records: `{ field, op, value }`, `{ all: […] }`, `{ any: […] }` or `{ not: … }`. */
export type RecordFilter = { readonly [key: string]: unknown }

export interface RecordQuery {
  filter?: RecordFilter | undefined
  search?: string | undefined
  /** `field` or `field:desc`. */
  sort?: string | undefined
  fields?: readonly string[] | undefined
  cursor?: string | undefined
  limit?: number | undefined
}

/** What was imported, or would be. */
export interface RecordImport {
  rows: number
  inserted: number
  updated: number
  refused: number
  problems: { row: number; problems: { field: string; message: string; rule?: string; limit?: number }[] }[]
  ignoredColumns: string[]
  dryRun: boolean
  upload: string
}

export type RecordFormat = 'csv' | 'xlsx' | 'json' | 'jsonl'

/** `publisher.name/id` as the parts of an address. */
const named = (id: string) => {
  const [plugin = '', collection = ''] = id.split('/')
  return { plugin: encodeURIComponent(plugin), collection: encodeURIComponent(collection) }
}
const at = (id: string) => ({ param: named(id) })
const recordAt = (id: string, recordId: string) => ({
  param: { ...named(id), id: encodeURIComponent(recordId) },
})
const matching = (version: number | undefined) =>
  version === undefined ? undefined : { headers: { 'if-match': `"${version}"` } }

function toQuery({ filter, search, sort, fields, cursor, limit }: RecordQuery) {
  const query = {
    filter: filter && JSON.stringify(filter),
    search: search || undefined,
    sort,
    fields: fields?.join(','),
    cursor,
    limit: limit === undefined ? undefined : String(limit),
  }
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Partial<
    Record<keyof typeof query, string>
  >
}

export const listCollections = (signal?: AbortSignal) => read(all.$get({}, until(signal)))
export const findRecords = (id: string, query: RecordQuery, signal?: AbortSignal) =>
  read(one.records.$get({ ...at(id), query: toQuery(query) }, until(signal)))
export const countGroups = (
  id: string,
  { by, limit, ...query }: { by: string; limit?: number } & Pick<RecordQuery, 'filter' | 'search'>,
  signal?: AbortSignal,
) =>
  read(
    one.groups.$get(
      { ...at(id), query: { ...toQuery(query), by, ...(limit ? { limit: String(limit) } : {}) } },
      until(signal),
    ),
  )
export const getRecord = (id: string, recordId: string, signal?: AbortSignal) =>
  read(record.$get(recordAt(id, recordId), until(signal)))
export const getRecordHistory = (id: string, recordId: string, signal?: AbortSignal) =>
  read(record.history.$get(recordAt(id, recordId), until(signal)))
export const insertRecord = (id: string, data: Record<string, unknown>) =>
  read(one.records.$post({ ...at(id), json: { data: data as Record<string, never> } }))
/** Changes the fields given, if the record is still at `version`; null takes a value out. */
export const updateRecord = (
  id: string,
  recordId: string,
  { data, version }: { data: Record<string, unknown>; version?: number | undefined },
) =>
  read(
    record.$patch(
      { ...recordAt(id, recordId), json: { data: data as Record<string, never> } },
      matching(version),
    ),
  )
export const deleteRecords = (id: string, ids: string[]) =>
  read(one.records.delete.$post({ ...at(id), json: { ids } }))
/** Deletes all that fit, as a job; refused when there are more or fewer than `expected`. */
export const deleteMatching = (id: string, filter: RecordFilter, expected: number) =>
  read(one.records.delete.$post({ ...at(id), json: { filter: filter as never, expected } }))
export const undeleteRecords = (id: string, ids: string[]) =>
  read(one.records.undelete.$post({ ...at(id), json: { ids } }))

/** Uploads a file of records; the job counts them and says which do not fit. */
export async function uploadRecords(id: string, file: File): Promise<{ upload: string; jobId: string }> {
  const { plugin, collection } = named(id)
  const answer = await send(`/api/collections/${plugin}/${collection}/import?format=${formatOf(file.name)}`, {
    method: 'POST',
    body: file,
    headers: { 'content-type': 'application/octet-stream' },
  })
  return (await answer.json()) as { upload: string; jobId: string }
}

/** Writes the records of an upload that fit. */
export const startRecordImport = (id: string, upload: string, fileName: string) =>
  read(
    one.import[':upload'].start.$post({
      param: { ...named(id), upload },
      query: { format: formatOf(fileName) },
    }),
  )

export async function exportRecords(
  id: string,
  {
    format,
    locale,
    reason,
    ...query
  }: { format: RecordFormat; locale: 'en' | 'zh-CN'; reason: string } & Pick<
    RecordQuery,
    'filter' | 'search' | 'sort'
  >,
): Promise<{ file: Blob; name: string }> {
  return await readFile(
    await one.export.$get({ ...at(id), query: { ...toQuery(query), format, locale, reason } }),
  )
}

function formatOf(name: string): 'csv' | 'jsonl' {
  return /\.(jsonl|ndjson|json)$/i.test(name) ? 'jsonl' : 'csv'
}
