import type { Mapping, RowProblem, SourceRow } from '@huitou/plugin-api'
import { cleanCell, cleanToken } from './cells.ts'
import { CUSTOMER_FIELDS, FIELD_IDS, type FieldId } from './fields.ts'
import type { OrderFormat } from './formats/format.ts'
import { PROBLEM_CHOICES, PROBLEM_TEXTS, isLeftOut, type ProblemCode } from './texts.ts'
import { timeReader, type TimeReader } from './times.ts'

/** Everything that reading the rows of one file needs, worked out once. */
export interface OrderReader {
  readonly format: OrderFormat
  readonly positions: Readonly<Record<FieldId, number[]>>
  readonly shop: string
  /** Orders are told apart by the file's shop column. */
  readonly shopInFile: boolean
  readonly currency: string
  readonly callingCode: string
  readonly receiverIdentifies: boolean
  readonly keepAnonymous: boolean
  /** Some column could name the customer, so an order without one is worth a word. */
  readonly namesCustomers: boolean
  readonly headers: readonly string[]
  readonly readTime: TimeReader
  /** Somebody chose to leave out orders with this problem, which are otherwise mended. */
  isLeftOut(code: string): boolean
}

/** The rows of one order, with the problems found so far. Row order does not matter: rows are sorted by content. */
export interface OrderRows {
  readonly reader: OrderReader
  readonly rows: readonly SourceRow[]
  readonly problems: RowProblem[]
}

/** Settles format, mapping and options into what reads rows. */
export function createOrderReader(
  format: OrderFormat,
  mapping: Mapping,
  headers: readonly string[],
): OrderReader {
  const { options } = mapping
  const text = (option: string) =>
    typeof options[option] === 'string' ? (options[option] as string).trim() : ''
  const positions = {} as Record<FieldId, number[]>
  for (const field of FIELD_IDS) positions[field] = mapping.fields[field] ?? []
  const withoutCustomer = text('withoutCustomer') || format.withoutCustomer || 'skip'
  return {
    format,
    positions,
    shop: text('shop') || format.platform,
    shopInFile: text('shop') === '' && format.platform === 'file' && positions.shop.length > 0,
    currency: (text('currency') || format.currency || 'CNY').toUpperCase(),
    callingCode: (text('callingCode') || '86').replace(/^\+/, ''),
    receiverIdentifies: options.receiverIdentifies !== false,
    keepAnonymous: withoutCustomer === 'anonymous',
    namesCustomers: CUSTOMER_FIELDS.some((field) => field !== 'address' && positions[field].length > 0),
    headers,
    isLeftOut: (code) => isLeftOut(code, options),
    readTime: timeReader(
      text('timeZone') || format.timeZone || 'Asia/Shanghai',
      text('dateOrder') === 'dmy' ? 'dmy' : 'mdy',
    ),
  }
}

/** The first value of a field over the order's rows; columns are tried in order of preference. */
export function findOnce(
  { reader, rows }: OrderRows,
  field: FieldId,
  clean: (cell: string | undefined) => string,
): string | undefined {
  for (const position of reader.positions[field]) {
    for (const row of rows) {
      const value = clean(row.cells[position])
      if (value !== '') return value
    }
  }
  return undefined
}

export function firstCell(row: SourceRow, positions: readonly number[]): string | undefined {
  for (const position of positions) {
    const cell = row.cells[position]
    if (cell !== undefined && cleanCell(cell) !== '') return cell
  }
  return undefined
}

/** The shop that, with the order's number, names the order. */
export function shopOf(found: OrderRows): string {
  return (found.reader.shopInFile ? findOnce(found, 'shop', cleanToken) : undefined) ?? found.reader.shop
}

/** Notes a problem of one row. */
export function report(
  { reader, problems }: OrderRows,
  row: SourceRow,
  code: ProblemCode,
  where: { outcome: RowProblem['outcome']; position?: number | undefined },
): void {
  const { position } = where
  problems.push({
    row: row.row,
    code,
    message: PROBLEM_TEXTS[code],
    outcome: where.outcome,
    ...(PROBLEM_CHOICES[code] && { choices: PROBLEM_CHOICES[code] }),
    ...(position === undefined
      ? {}
      : { column: reader.headers[position] ?? '', value: (row.cells[position] ?? '').slice(0, 80) }),
  })
}
