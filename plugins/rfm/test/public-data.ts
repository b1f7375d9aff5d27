import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'

// Published data sets are too large to keep here; they may lie in a folder beside the repository.
const folder = resolve(import.meta.dirname, '../../../../shared/data')

export const hasData = existsSync(folder)

export function readTable(file: string): Record<string, string>[] {
  return parse(gunzipSync(readFileSync(resolve(folder, file))), { columns: true })
}

export function readExpected<T>(file: string): T {
  return JSON.parse(readFileSync(resolve(folder, 'expected', file), 'utf8')) as T
}
