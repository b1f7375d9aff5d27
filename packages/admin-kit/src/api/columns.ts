import type { InferResponseType } from 'hono/client'
import { api, read, until } from './client.ts'

export type Columns = InferResponseType<typeof api.columns.$get>
export type Column = Columns['columns'][number]
export type ColumnOption = NonNullable<Column['options']>[number]
export type EventKind = Columns['events'][number]

export const getColumns = (signal?: AbortSignal) => read(api.columns.$get({}, until(signal)))
export const searchColumnValues = (name: string, search: string, signal?: AbortSignal) =>
  read(
    api.columns[':name'].values.$get(
      { param: { name: encodeURIComponent(name) }, query: { search } },
      until(signal),
    ),
  )
