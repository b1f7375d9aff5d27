import type { RowGroup, SourceRow } from '@huitou/plugin-api'
import { cleanCell, cleanId, cleanToken, isMasked, isScientific } from './cells.ts'
import { contentId } from './facts.ts'
import type { FieldId } from './fields.ts'
import { findOnce, firstCell, report, shopOf, type OrderReader, type OrderRows } from './order-rows.ts'
import { lastStage, type Order, type OrderReading } from './orders.ts'
import { readAmounts, type Amounts } from './read-amounts.ts'
import { readCustomer } from './read-customer.ts'
import { findStage, refundState, STAGE_RANK, type Stage } from './statuses.ts'
import type { ProblemCode } from './texts.ts'

const TIME_STAGES: [FieldId, Stage | 'created'][] = [
  ['created_at', 'created'],
  ['paid_at', 'paid'],
  ['shipped_at', 'shipped'],
  ['delivered_at', 'delivered'],
  ['signed_at', 'signed'],
  ['completed_at', 'completed'],
  ['closed_at', 'closed'],
  ['refunded_at', 'refunded'],
]

/** Reads the rows of one group as orders: one, or one a row when the file has no order numbers. */
export function readOrders(group: RowGroup, reader: OrderReader): OrderReading[] {
  const rows = inContentOrder(group.rows)
  if (reader.positions.order_id.length > 0) return [readOrder(rows, undefined, reader)]
  // Two equal purchases on one day are two orders: the n-th of equal rows has its own id.
  const seen = new Map<string, number>()
  return rows.map((row) => {
    const content = row.cells.map(cleanCell).join('\u0001')
    const nth = seen.get(content) ?? 0
    seen.set(content, nth + 1)
    return readOrder([row], contentId([content, nth]), reader)
  })
}

function readOrder(rows: SourceRow[], madeId: string | undefined, reader: OrderReader): OrderReading {
  const found: OrderRows = { reader, rows, problems: [] }
  const id = madeId ?? findOnce(found, 'order_id', cleanId)
  if (!id || isScientific(id)) return refuseNameless(found)
  const customer = readCustomer(found, id)
  if (!customer) return refuse(found, nameless(found))
  const times = readTimes(found)
  const known = Object.values(times)
  if (known.length === 0) return refuse(found, 'E_ROW_NO_TIME', 'created_at')
  const latest = Math.max(...known)
  const { stage, status } = readStage(found)
  const currency = findOnce(found, 'currency', cleanToken)?.toUpperCase()
  const order: Order = {
    id,
    number: findOnce(found, 'order_number', cleanToken),
    platform: reader.format.platform,
    shop: shopOf(found),
    currency: currency && /^[A-Z]{3}$/.test(currency) ? currency : reader.currency,
    stage: stage ?? lastStage(times),
    status,
    times,
    estimated: new Set(),
    items: [],
    refunds: [],
    customer: customer.who,
    ...customer.place,
    reason: findOnce(found, 'close_reason', cleanCell),
    channel: findOnce(found, 'channel', cleanCell),
    paymentMethod: findOnce(found, 'payment_method', cleanCell),
    coupon: findOnce(found, 'coupon_code', cleanCell),
    logistics: findOnce(found, 'logistics_company', cleanCell),
    tracking: findOnce(found, 'tracking_number', cleanToken),
    shopName: findOnce(found, 'shop', cleanCell),
    version: 0,
  }
  const amounts = readAmounts(found, order)
  settlePayment(found, order, {
    stage,
    latest,
    refundOnly: amounts.refundOnly,
    refunded: amounts.refund !== undefined || isWhollyRefunded(found),
  })
  settleTotals(found, order, amounts, latest)
  // A change of state without a time of its own still makes a later version.
  order.version = latest + STAGE_RANK[order.stage]
  const empty = amounts.refundOnly ? order.refunds.length === 0 : amounts.nothingValid
  if (empty) return refuse(found, 'E_ROW_NO_LINE')
  if (customer.who.anonymousId !== undefined && reader.namesCustomers) {
    const code = nameless(found)
    for (const row of rows) report(found, row, code, { outcome: 'mended' })
  }
  return leaveOut(found) ?? { order, problems: found.problems }
}

/** When one of the order's problems was chosen to cost the order: all its rows, to be imported together once mended. */
function leaveOut({ reader, rows, problems }: OrderRows): OrderReading | undefined {
  const reason = problems.find(({ code }) => reader.isLeftOut(code))
  if (!reason) return undefined
  const { code, message, choices } = reason
  const own = new Map(
    problems.filter((problem) => problem.code === code).map((problem) => [problem.row, problem]),
  )
  return {
    problems: rows.map(({ row }) => ({
      ...(own.get(row) ?? { row, code, message, ...(choices && { choices }) }),
      outcome: 'skipped',
    })),
  }
}

function nameless(found: OrderRows): ProblemCode {
  return hasMasked(found) ? 'E_ROW_CUSTOMER_MASKED' : 'E_ROW_NO_CUSTOMER'
}

/** Decides whether and when the order was paid, and adds the stages that the status names but no column times. */
function settlePayment(
  found: OrderRows,
  order: Order,
  facts: { stage: Stage | undefined; latest: number; refundOnly: boolean; refunded: boolean },
): void {
  const { positions } = found.reader
  const { times } = order
  const { stage, latest } = facts
  if (facts.refundOnly) {
    delete times.created
    delete times.paid
    return
  }
  if (times.paid === undefined && isPaid(found, facts)) {
    times.paid = times.created ?? latest
    if (positions.paid_at.length > 0) order.estimated.add('paid')
  }
  // A file that knows one time and no state speaks of purchases: "created" would only repeat "paid".
  const knowsLife = positions.status.length > 0 || positions.paid_at.length > 0
  if (!knowsLife && times.paid !== undefined) delete times.created
  const named =
    stage === undefined || stage === 'unpaid' || stage === 'paid' || stage === 'refunded' ? undefined : stage
  if (named && times[named] === undefined) {
    times[named] = latest
    order.estimated.add(named)
  }
}

function isPaid(
  { reader, rows }: OrderRows,
  { stage, refunded }: { stage: Stage | undefined; refunded: boolean },
): boolean {
  const { positions } = reader
  if (positions.status.length === 0) return positions.paid_at.length === 0
  if (stage === undefined || stage === 'unpaid' || stage === 'payment_failed') return false
  if (stage === 'closed') return positions.paid_at.length === 0 && refunded
  const method = positions.payment_method[0]
  const onDelivery =
    method !== undefined && rows.some((row) => (row.cells[method] ?? '').includes('货到付款'))
  return !onDelivery || STAGE_RANK[stage] >= STAGE_RANK.signed
}

function settleTotals(found: OrderRows, order: Order, amounts: Amounts, latest: number): void {
  const { format } = found.reader
  const paid = order.times.paid !== undefined
  order.items = amounts.items
  order.shipping = amounts.shipping
  order.discount = amounts.discount
  order.total = paid ? amounts.paidTotal : amounts.dueTotal
  if (amounts.nothingValid) delete order.times.paid
  const wholly =
    order.stage === 'refunded' ||
    isWhollyRefunded(found) ||
    (order.stage === 'closed' && format.closedMeansRefunded === true)
  const refund = amounts.refund ?? (paid && wholly ? order.total : undefined)
  if (refund === undefined || refund <= 0 || (!paid && !amounts.refundOnly)) return
  const at = order.times.refunded ?? order.times.closed ?? latest
  const estimated = order.times.refunded === undefined && !amounts.refundOnly
  order.refunds.push({ amount: refund, at, ...(estimated ? { estimated } : {}) })
}

function readTimes(found: OrderRows): Order['times'] {
  const { reader, rows } = found
  const times: Order['times'] = {}
  for (const [field, stage] of TIME_STAGES) {
    for (const position of reader.positions[field]) {
      for (const row of rows) {
        const cell = row.cells[position]
        if (!cell || cleanCell(cell) === '') continue
        const time = reader.readTime(cell)
        if (time === undefined) {
          report(found, row, 'E_ROW_TIME', { outcome: 'mended', position })
          continue
        }
        const known = times[stage]
        const earlier = stage === 'created' || stage === 'paid'
        times[stage] = known === undefined ? time : earlier ? Math.min(known, time) : Math.max(known, time)
      }
      if (times[stage] !== undefined) break
    }
  }
  return times
}

/** The stage of the whole order: what its open lines have all reached; closed only when every line is. */
function readStage(found: OrderRows): { stage?: Stage; status?: string } {
  const { reader, rows } = found
  let least: { stage: Stage; status: string } | undefined
  let ended: { stage: Stage; status: string } | undefined
  for (const row of rows) {
    const status = cleanCell(firstCell(row, reader.positions.status))
    if (status === '') continue
    let stage = findStage(status)
    if (!stage) {
      report(found, row, 'E_ROW_STATUS_UNKNOWN', { outcome: 'mended', position: reader.positions.status[0] })
      continue
    }
    const delivery = findStage(firstCell(row, reader.positions.delivery_status))
    if (stage === 'paid' && delivery && STAGE_RANK[delivery] > STAGE_RANK.paid && delivery !== 'closed')
      stage = delivery
    if (stage === 'closed' || stage === 'refunded') {
      if (!ended || STAGE_RANK[stage] < STAGE_RANK[ended.stage]) ended = { stage, status }
    } else if (!least || STAGE_RANK[stage] < STAGE_RANK[least.stage]) least = { stage, status }
  }
  return least ?? ended ?? {}
}

/** Rows without a usable order number are not one order: each is refused for its own reason. */
function refuseNameless(found: OrderRows): OrderReading {
  const problems = found.rows.flatMap((row) => {
    const id = cleanId(firstCell(row, found.reader.positions.order_id))
    return refuse(
      { ...found, rows: [row] },
      id === '' ? 'E_ROW_NO_ORDER_ID' : 'E_ROW_ID_SCIENTIFIC',
      'order_id',
    ).problems
  })
  return { problems }
}

function isWhollyRefunded({ reader, rows }: OrderRows): boolean {
  const words = rows
    .map((row) => cleanCell(firstCell(row, reader.positions.refund_status)))
    .filter((word) => word !== '')
  return words.length > 0 && words.every((word) => refundState(word) === 'full')
}

function refuse(found: OrderRows, code: ProblemCode, field?: FieldId): OrderReading {
  const refused: OrderRows = { ...found, problems: [] }
  const position = field === undefined ? undefined : found.reader.positions[field][0]
  for (const row of found.rows) report(refused, row, code, { outcome: 'skipped', position })
  return { problems: refused.problems }
}

function hasMasked({ reader, rows }: OrderRows): boolean {
  const positions = (['customer_id', 'buyer_id', 'phone', 'receiver_phone', 'email'] as const).flatMap(
    (field) => reader.positions[field],
  )
  return rows.some((row) => positions.some((position) => isMasked(row.cells[position] ?? '')))
}

function inContentOrder(rows: readonly SourceRow[]): SourceRow[] {
  if (rows.length < 2) return [...rows]
  return rows.toSorted(byContent)
}

function byContent(a: SourceRow, b: SourceRow): number {
  const length = Math.max(a.cells.length, b.cells.length)
  for (let position = 0; position < length; position++) {
    const left = a.cells[position] ?? ''
    const right = b.cells[position] ?? ''
    if (left !== right) return left < right ? -1 : 1
  }
  return a.row - b.row
}
