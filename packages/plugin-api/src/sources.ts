import type { Texts } from './localized.ts'

/** One row of a file: its 1-based number in the file and its cells by column position. */
export interface SourceRow {
  row: number
  cells: string[]
}

/** What the first lines of a file look like. */
export interface FileSample {
  fileName: string
  /** Heading of each column, as found; duplicates keep their place. */
  headers: string[]
  rows: SourceRow[]
}

/** Which column fills which field. */
export interface Mapping {
  /** Source format the mapping was made for, for instance `tmall-orders`. */
  format: string
  /** Field id → column positions, 0-based, in order of preference. */
  fields: Record<string, number[]>
  /** Shop, currency, time zone, what to do with each kind of problem. */
  options: Record<string, string | number | boolean>
}

export interface Recognition {
  format: string
  title: string | Texts
  /** 0 (a guess) to 1 (the fingerprint fits). */
  confidence: number
  mapping: Mapping
  /** Columns whose meaning was guessed, with the reason, by position. */
  doubts: { column: number; reason: string | Texts }[]
}

/** A row that cannot become an event as it stands. */
export interface RowProblem {
  row: number
  /** Stable code, for instance `E_ROW_NO_ORDER_ID`. */
  code: string
  message: string | Texts
  column?: string
  value?: string
  /** `skipped`: not imported; `mended`: imported after a documented mend. */
  outcome: 'skipped' | 'mended'
  /** What may be done with rows of this kind, the default first. Absent when nothing else can be. */
  choices?: ProblemChoice[]
}

/** One thing to do with rows of one kind of problem. */
export interface ProblemChoice {
  /** What happens to the rows: `Leave the order out`. */
  title: string | Texts
  /** Options of the mapping that make it so. */
  options: Mapping['options']
}

/** An event as the ingest API takes it. */
export interface SourceEvent {
  messageId: string
  type: 'track' | 'identify'
  event?: string
  userId?: string
  anonymousId?: string
  /** Epoch milliseconds. */
  timestamp: number
  properties?: Record<string, unknown>
  traits?: Record<string, unknown>
  /** Further identifiers: `{ type: 'buyer_id:tmall', id: '…' }`. */
  externalIds?: { type: string; id: string }[]
  /** Orders versions of one fact; larger wins. Epoch milliseconds of what the source knew last. */
  version?: number
}

export interface Conversion {
  events: SourceEvent[]
  problems: RowProblem[]
}

/** Rows that belong together (all lines of one order), in file order. */
export interface RowGroup {
  key: string
  rows: SourceRow[]
}

export interface WebhookRequest {
  path: string
  method: string
  headers: Record<string, string>
  /** The raw body, for the signature. */
  body: Uint8Array
  settings: Record<string, unknown>
}

export interface WebhookAnswer {
  status: number
  body?: unknown
  events?: SourceEvent[]
}

/** Implementation of a `sources` contribution. Pure: same rows, same events, same message ids. */
export interface Source {
  /** Formats that could have written this sample, best first. */
  recognise?(sample: FileSample): Recognition[] | Promise<Recognition[]>
  /** Key of the group each row belongs to; `null` when the row has none (a problem is then reported by `convert`). */
  groupKeys?(
    rows: SourceRow[],
    mapping: Mapping,
    headers: string[],
  ): (string | null)[] | Promise<(string | null)[]>
  convert?(groups: RowGroup[], mapping: Mapping, headers: string[]): Conversion | Promise<Conversion>
  handleWebhook?(request: WebhookRequest): WebhookAnswer | Promise<WebhookAnswer>
}
