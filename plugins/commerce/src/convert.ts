import type { Conversion, Mapping, RowGroup, SourceRow } from '@huitou/plugin-api'
import { cleanCell, cleanId, isScientific } from './cells.ts'
import { orderEvents } from './facts.ts'
import { formatOf } from './formats/known.ts'
import { createOrderReader, firstCell } from './order-rows.ts'
import { readOrders } from './read-order.ts'

/**
 * Which order each row belongs to: shop and order number, or customer and day's text when the file has no order
 * numbers. `null` when the row has none or a spreadsheet has destroyed it.
 */
export function groupKeys(rows: SourceRow[], mapping: Mapping): (string | null)[] {
  const { fields } = mapping
  const order = fields.order_number?.length
    ? [...fields.order_number, ...(fields.order_id ?? [])]
    : (fields.order_id ?? [])
  if (order.length > 0) {
    const shop =
      formatOf(mapping.format).platform === 'file' && !mapping.options.shop ? (fields.shop ?? []) : []
    return rows.map((row) => {
      const id = cleanId(firstCell(row, order))
      if (id === '' || isScientific(id)) return null
      return shop.length === 0 ? id : `${cleanCell(firstCell(row, shop))}|${id}`
    })
  }
  const customer = ['customer_id', 'buyer_id', 'phone', 'email'].flatMap((field) => fields[field] ?? [])
  const time = fields.created_at ?? fields.paid_at ?? []
  return rows.map((row) => {
    const who = cleanId(firstCell(row, customer))
    return who === '' ? null : `${who}|${cleanCell(firstCell(row, time))}`
  })
}

/** The events that groups of rows stand for, and what is wrong with rows. Independent of the order of rows. */
export function convertOrders(groups: RowGroup[], mapping: Mapping, headers: readonly string[]): Conversion {
  const reader = createOrderReader(formatOf(mapping.format), mapping, headers)
  const conversion: Conversion = { events: [], problems: [] }
  for (const group of groups) {
    for (const { order, problems } of readOrders(group, reader)) {
      if (order) conversion.events.push(...orderEvents(order))
      conversion.problems.push(...problems)
    }
  }
  return conversion
}
