import { ReadableStream as NodeReadableStream, TextEncoderStream } from 'node:stream/web'
import type { Kysely } from 'kysely'
import type { CoreContext } from '../context.ts'
import type { Cell, Table } from '../spreadsheet.ts'
import type { Definition } from './definition.ts'
import { eachRecord, type RecordSearch } from './find.ts'
import { cellFormat, formatCell } from './record-cells.ts'
import { namesIn } from './record-names.ts'

type Context = Pick<CoreContext, 'database' | 'brand'>
export type ExportSearch = Pick<RecordSearch, 'filter' | 'search' | 'sort'>

/** Records that fit as a table for people, written while it is read. */
export async function exportTable(
  { database, brand }: Context,
  definition: Definition,
  { locale, ...search }: ExportSearch & { locale: 'en' | 'zh-CN' },
): Promise<Table> {
  const format = cellFormat(await brand(), locale)
  const last = locale === 'zh-CN' ? ['创建时间', '修改时间'] : ['Created', 'Changed']
  const time = new Intl.DateTimeFormat('sv-SE', {
    timeZone: format.timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  })
  async function* pages(): AsyncGenerator<Cell[][]> {
    for await (const records of eachRecord(
      database.analytics as unknown as Kysely<any>,
      definition,
      search,
    )) {
      const names = await namesIn(database.db, definition, records)
      yield records.map((record): Cell[] => [
        record.id,
        ...definition.fields.map((field) => formatCell(field, record, { names, format })),
        time.format(record.createdAt),
        time.format(record.updatedAt),
      ])
    }
  }
  return {
    name: definition.declaration.title[locale],
    headers: ['id', ...definition.fields.map(({ title }) => title[locale]), ...last],
    pages: pages(),
  }
}

/** Records that fit as JSON: a list, or one record a line, which an import reads back. */
export function exportJson(
  { database }: Context,
  definition: Definition,
  { lines, ...search }: ExportSearch & { lines: boolean },
): ReadableStream<Uint8Array> {
  async function* parts(): AsyncGenerator<string> {
    let first = true
    if (!lines) yield '['
    for await (const records of eachRecord(
      database.analytics as unknown as Kysely<any>,
      definition,
      search,
    )) {
      const texts = records.map(({ id, data, version, createdAt, updatedAt }) =>
        JSON.stringify({ id, ...data, $version: version, $createdAt: createdAt, $updatedAt: updatedAt }),
      )
      yield lines ? `${texts.join('\n')}\n` : `${first ? '' : ','}\n${texts.join(',\n')}`
      first = false
    }
    if (!lines) yield '\n]\n'
  }
  const bytes = NodeReadableStream.from(parts()).pipeThrough(new TextEncoderStream())
  return bytes as unknown as ReadableStream<Uint8Array>
}
