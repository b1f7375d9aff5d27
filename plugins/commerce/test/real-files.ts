import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import type { Conversion, Mapping, RowGroup, SourceRow } from '@huitou/plugin-api'
import { createOrdersSource } from '../src/source.ts'

/** Public order files lie beside the repository, not in it; tests that need them are skipped where they are absent. */
const folder = path.resolve(import.meta.dirname, '../../../../shared/data')

export const hasData = existsSync(folder)

export const source = createOrdersSource({ currency: 'CNY', timeZone: 'Asia/Shanghai' })

export interface File {
  headers: string[]
  rows: SourceRow[]
}

export function readExpected<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(folder, 'expected', name), 'utf8')) as T
}

export function readFile(name: string): File {
  const [headers, ...rows] = parse(gunzipSync(readFileSync(path.join(folder, name)))) as string[][]
  return { headers: headers!, rows: rows.map((cells, index) => ({ row: index + 2, cells })) }
}

/** Rows as an import hands them over: recognised by a sample, grouped in chunks. */
export async function groupFile({ headers, rows }: File): Promise<{ mapping: Mapping; groups: RowGroup[] }> {
  const [best] = await source.recognise({ fileName: 'orders.csv', headers, rows: rows.slice(0, 100) })
  const { mapping } = best!
  const groups = new Map<string, RowGroup>()
  for (let start = 0; start < rows.length; start += 5_000) {
    const chunk = rows.slice(start, start + 5_000)
    const keys = await source.groupKeys(chunk, mapping, headers)
    chunk.forEach((row, index) => {
      const key = keys[index] ?? `row ${row.row}`
      const group = groups.get(key)
      if (group) group.rows.push(row)
      else groups.set(key, { key, rows: [row] })
    })
  }
  return { mapping, groups: [...groups.values()] }
}

/** Converts a file in chunks of groups. */
export async function convertFile(file: File): Promise<Conversion & { format: string }> {
  const { mapping, groups } = await groupFile(file)
  const conversion: Conversion = { events: [], problems: [] }
  for (let start = 0; start < groups.length; start += 1_000) {
    const { events, problems } = await source.convert(
      groups.slice(start, start + 1_000),
      mapping,
      file.headers,
    )
    conversion.events.push(...events)
    conversion.problems.push(...problems)
  }
  return { ...conversion, format: mapping.format }
}
