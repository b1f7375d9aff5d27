import type { SourceRow } from '@huitou/plugin-api'
import { cleanCell, cleanId, toHalfWidth } from './cells.ts'
import type { FieldId } from './fields.ts'
import {
  add,
  compare,
  findDecimal,
  multiply,
  negate,
  sign,
  subtract,
  toMinor,
  toNumber,
  ZERO,
  type Decimal,
} from './money.ts'
import type { Order, OrderItem } from './orders.ts'
import { firstCell, report, type OrderRows } from './order-rows.ts'

/** The figures of an order in minor units. A total is undefined when the file has no amounts at all. */
export interface Amounts {
  paidTotal?: number
  dueTotal?: number
  refund?: number
  shipping?: number
  discount?: number
  items: OrderItem[]
  /** The rows give money back: there is no sale in them. */
  refundOnly: boolean
  /** There are lines, and none of them counts. */
  nothingValid: boolean
}

/** Some reports join the titles of all items in one cell. */
const LONGEST_TEXT = 300

interface Line {
  row: SourceRow
  item: OrderItem
  quantity?: Decimal
  price?: Decimal
  total?: Decimal
}

/** Reads the order's money. Line totals are quantity × unit price, added exactly and rounded once. */
export function readAmounts(found: OrderRows, order: Order): Amounts {
  const { format } = found.reader
  const lines = readLines(found)
  const computed = format.cancelPrefix !== undefined || !isMapped(found, 'total', 'payable')
  const cancelled = format.cancelPrefix !== undefined && order.id.startsWith(format.cancelPrefix)
  const stated = readMoney(found, 'total', lines)
  const refundOnly =
    cancelled || (lines.some(isPriced) ? isAllNegative(lines) : stated !== undefined && sign(stated) < 0)
  const valid = computed || refundOnly ? lines.filter((line) => counts(found, line, refundOnly)) : lines
  const minor = (value: Decimal | undefined) =>
    value === undefined ? undefined : toMinor(value, order.currency)
  const items = toItems(valid, order.currency)
  if (refundOnly) {
    const back = negate(sumOf(valid) ?? stated ?? ZERO)
    return { items, refund: minor(back), refundOnly, nothingValid: false }
  }
  const nothingValid = computed && lines.some(isPriced) && valid.length === 0
  const shipping = readMoney(found, 'shipping', lines)
  const discount = readMoney(found, 'discount', lines)
  const refund = readMoney(found, 'refund_amount', lines)
  const payable = readMoney(found, 'payable', lines)
  let fromLines = sumOf(valid)
  if (fromLines && shipping) fromLines = add(fromLines, shipping)
  if (fromLines && discount) fromLines = subtract(fromLines, sign(discount) < 0 ? negate(discount) : discount)
  const due = payable ?? stated ?? fromLines
  let paid = stated && format.paidIsNet && refund ? add(stated, refund) : stated
  // Platforms set the paid amount of a refunded order back to nought.
  if (paid === undefined || (sign(paid) === 0 && due !== undefined)) paid = due ?? paid
  return {
    paidTotal: minor(paid),
    dueTotal: minor(due),
    refund: refund && sign(refund) !== 0 ? Math.abs(minor(refund)!) : undefined,
    shipping: minor(shipping),
    discount: minor(discount),
    items,
    refundOnly,
    nothingValid,
  }
}

/**
 * An amount of the order. Columns that speak of the order are taken once, columns that speak of the line are added up;
 * for other files the rows decide: equal amounts that are not the lines' own are the order's.
 */
function readMoney(found: OrderRows, field: FieldId, lines: Line[]): Decimal | undefined {
  const { reader, rows } = found
  for (const position of reader.positions[field]) {
    const values: { row: SourceRow; value: Decimal }[] = []
    for (const row of rows) {
      const value = readCell(found, row, position)
      if (value) values.push({ row, value })
    }
    if (values.length === 0) continue
    if (values.length === 1) return values[0]!.value
    const largest = values.reduce(
      (most, { value }) => (compare(value, most) > 0 ? value : most),
      values[0]!.value,
    )
    const equal = values.every(({ value }) => compare(value, largest) === 0)
    const perLine =
      reader.format.amounts === 'line' ||
      (reader.format.amounts === 'auto' &&
        (!equal || lines.every((line) => line.total && compare(line.total, largest) === 0)))
    if (perLine) return values.reduce((sum, { value }) => add(sum, value), ZERO)
    if (!equal) report(found, values[0]!.row, 'E_ROW_TOTALS_DIFFER', { outcome: 'mended', position })
    return largest
  }
  return undefined
}

function readCell(found: OrderRows, row: SourceRow, position: number): Decimal | undefined {
  const cell = row.cells[position]
  if (!cell) return undefined
  const value = findDecimal(cell)
  if (value) return value
  const text = cleanCell(cell)
  if (text === '') return undefined
  const { joiner } = found.reader.format
  const parts = joiner && text.includes(joiner) ? text.split(joiner).map(findDecimal) : []
  if (parts.length > 0 && parts.every((part) => part !== undefined))
    return parts.reduce((sum, part) => add(sum, part), ZERO)
  report(found, row, 'E_ROW_MONEY', { outcome: 'mended', position })
  return undefined
}

function readLines(found: OrderRows): Line[] {
  if (
    !isMapped(
      found,
      'product_id',
      'sku',
      'product_name',
      'product_list',
      'unit_price',
      'quantity',
      'line_total',
    )
  )
    return []
  const { reader, rows } = found
  const seen = new Set<string>()
  const lines: Line[] = []
  for (const row of rows) {
    const lineId = cleanId(firstCell(row, reader.positions.line_id))
    // The same sub-order written twice, as in two exports put together.
    if (lineId !== '' && seen.has(lineId) && reader.format.amounts !== 'auto') continue
    if (lineId !== '') seen.add(lineId)
    const list = cleanCell(firstCell(row, reader.positions.product_list))
    if (list !== '') lines.push(...readList(row, list))
    else lines.push(...splitLine(found, row))
  }
  return lines
}

/** `草莓蛋糕(1件);…` */
function readList(row: SourceRow, list: string): Line[] {
  return list
    .split(/[;；]/)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const match = /^(.*)\((\d+)件\)$/.exec(toHalfWidth(part).trim())
      return {
        row,
        item: match ? { name: match[1]!.trim(), quantity: Number(match[2]) } : { name: part.trim() },
      }
    })
}

/** The lines in a row: one, or several when the format joins them. */
function splitLine(found: OrderRows, row: SourceRow): Line[] {
  const { reader } = found
  const { joiner } = reader.format
  const text = (field: FieldId) => cleanCell(firstCell(row, reader.positions[field]))
  const count = joiner ? text('line_id').split(joiner).length : 1
  const part = (field: FieldId, index: number) => {
    const cell = text(field)
    if (count === 1 || !joiner) return cell
    const parts = cell.split(joiner)
    return parts.length === count ? parts[index]! : index === 0 ? cell : ''
  }
  return Array.from({ length: count }, (_, index) => {
    const number = (field: FieldId) => {
      const cell = part(field, index)
      const value = findDecimal(cell)
      if (value === undefined && cell !== '')
        report(found, row, 'E_ROW_MONEY', { outcome: 'mended', position: reader.positions[field][0] })
      return value
    }
    const quantity = number('quantity')
    const price = number('unit_price')
    const stated = number('line_total')
    const total = stated ?? (price && multiply(price, quantity ?? { digits: 1n, scale: 0 }))
    const item: OrderItem = {}
    const note = (key: 'product_id' | 'sku' | 'name' | 'category', value: string) => {
      if (value !== '') item[key] = value.slice(0, LONGEST_TEXT)
    }
    note('product_id', cleanId(part('product_id', index)))
    note('sku', part('sku', index))
    note('name', part('product_name', index))
    note('category', part('category', index))
    if (quantity) item.quantity = toNumber(quantity)
    if (price) item.price = toNumber(price)
    return { row, item, quantity, price, total }
  })
}

function counts(found: OrderRows, line: Line, refundOnly: boolean): boolean {
  if (!isPriced(line)) return !refundOnly
  const quantity = line.quantity ? sign(line.quantity) : 1
  const price = line.price ? sign(line.price) : sign(line.total ?? ZERO)
  const counted = refundOnly
    ? quantity * Math.abs(price) < 0 || (quantity > 0 && price < 0)
    : quantity > 0 && price > 0
  if (!counted)
    report(found, line.row, 'E_ROW_LINE_LEFT_OUT', {
      outcome: 'mended',
      position: found.reader.positions.quantity[0],
    })
  return counted
}

function isAllNegative(lines: Line[]): boolean {
  const priced = lines.filter(isPriced)
  return priced.length > 0 && priced.every((line) => sign(line.total ?? ZERO) < 0)
}

function isPriced(line: Line): boolean {
  return line.price !== undefined || line.total !== undefined
}

function sumOf(lines: Line[]): Decimal | undefined {
  let sum: Decimal | undefined
  for (const { total } of lines) if (total) sum = sum ? add(sum, total) : total
  return sum
}

/** Items with the most valuable first, so that the first one stands for the order; equal ones by id and name. */
function toItems(lines: Line[], currency: string): OrderItem[] {
  for (const { item, total } of lines) if (total) item.total = toMinor(total, currency)
  const items = lines.map(({ item }) => item).filter(isDescribed)
  const name = (item: OrderItem) =>
    `${item.product_id ?? ''}\u0001${item.sku ?? ''}\u0001${item.name ?? ''}\u0001${item.quantity ?? ''}`
  return items.length < 2
    ? items
    : items
        .map((item) => ({ item, key: name(item) }))
        .sort(
          (a, b) => (b.item.total ?? 0) - (a.item.total ?? 0) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
        )
        .map(({ item }) => item)
}

function isDescribed(item: OrderItem): boolean {
  for (const _ in item) return true
  return false
}

function isMapped({ reader }: OrderRows, ...fields: FieldId[]): boolean {
  return fields.some((field) => reader.positions[field].length > 0)
}
