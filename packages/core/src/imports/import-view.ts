import type { Mapping, SourceField } from '@huitou/plugin-api'
import type { Points, Text } from '../points/points.ts'
import { distinctHeadings, fieldsOfColumns } from './mapping.ts'
import type { DryRun } from './dry-run.ts'
import type { ImportRecord, StoredError } from './records.ts'
import { toTexts } from './row-problems.ts'
import type { ImportState } from './tables.ts'

/** An import as the API shows it. */
export interface ImportView {
  id: string
  name: string
  source: string
  state: ImportState
  size: number
  encoding: string | null
  delimiter: string | null
  /** Name of the sheet of a workbook. */
  sheet: string | null
  headerRow: number
  /** Headings, told apart where two are the same. */
  headers: string[]
  sample: string[][]
  recognitions: { format: string; title: Text; confidence: number }[]
  mapping: Mapping | null
  doubts: { column: string; position: number; field: string | null; reason: Text }[]
  fields: (Omit<SourceField, 'title'> & { title: Text })[]
  dryRun: DryRun | null
  jobId: string | null
  result: Record<string, unknown> | null
  error: StoredError | null
  createdAt: number
  updatedAt: number
}

/** Puts together what the wizard needs. The fields are missing while the source's plugin is disabled. */
export function toImportView(record: ImportRecord, { sources }: Pick<Points, 'sources'>): ImportView {
  const { facts, mapping } = record
  const { headers, format, sample } = facts
  const source = sources.find(record.source)
  const columns = fieldsOfColumns(mapping?.fields ?? {}, headers)
  const headings = distinctHeadings(headers)
  const recognition =
    facts.recognitions.find((candidate) => candidate.format === mapping?.format) ?? facts.recognitions[0]
  return {
    id: record.id,
    name: record.name,
    source: record.source,
    state: record.state,
    size: record.size,
    encoding: format.kind === 'xlsx' ? null : format.encoding,
    delimiter: format.kind === 'csv' ? format.delimiter : null,
    sheet: format.kind === 'xlsx' ? format.sheetName : null,
    headerRow: facts.headerRow,
    headers: headings,
    sample: sample.map(({ cells }) => headers.map((_, position) => cells[position] ?? '')),
    recognitions: facts.recognitions.map(({ format: id, title, confidence }) => ({
      format: id,
      title: toTexts(title),
      confidence,
    })),
    mapping,
    doubts: (recognition?.doubts ?? []).map(({ column, reason }) => {
      const heading = headings[column] ?? ''
      return { column: heading, position: column, field: columns[heading] ?? null, reason: toTexts(reason) }
    }),
    fields: (source?.value.fields ?? []).map((field) => ({
      ...field,
      title: source!.owner.text(field.title),
    })),
    dryRun: record.dryRun,
    jobId: record.jobId,
    result: record.result,
    error: record.error,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
  }
}
