import { cleanCell, cleanId, cleanToken, isMasked, isScientific } from './cells.ts'
import type { FieldId } from './fields.ts'
import type { OrderCustomer } from './orders.ts'
import { findEmail, findPhone } from './phones.ts'
import { findOnce, shopOf, type OrderRows } from './order-rows.ts'
import { findRegion, toProvince } from './regions.ts'

interface Place {
  province?: string
  city?: string
  country?: string
  receiver?: string
}

/**
 * Who placed the order and where it goes; undefined when nothing names the customer and the order is not to be kept
 * without one. What is masked or encrypted names nobody.
 */
export function readCustomer(
  found: OrderRows,
  orderId: string,
): { who: OrderCustomer; place: Place } | undefined {
  const { reader } = found
  const region = findRegion(findOnce(found, 'address', cleanCell) ?? '')
  const clear = (field: FieldId, clean: (cell: string | undefined) => string) =>
    findOnce(found, field, (cell) => {
      const text = clean(cell)
      return isMasked(text) || isScientific(text) ? '' : text
    })
  const phoneOf = (field: FieldId) =>
    findOnce(found, field, (cell) => findPhone(cell, reader.callingCode) ?? '')
  const userId = clear('customer_id', cleanId)
  const buyer = clear('buyer_id', cleanToken)
  const receiverPhone = phoneOf('receiver_phone') ?? findPhone(region.phone, reader.callingCode)
  const phone = phoneOf('phone') ?? (reader.receiverIdentifies ? receiverPhone : undefined)
  const email = findOnce(found, 'email', (cell) => findEmail(cell) ?? '')
  const externalIds: OrderCustomer['externalIds'] = []
  if (buyer)
    externalIds.push({
      type: `buyer_id:${reader.format.platform === 'file' ? shopOf(found) : reader.format.platform}`,
      id: buyer,
    })
  if (phone) externalIds.push({ type: 'phone', id: phone })
  if (email) externalIds.push({ type: 'email', id: email })
  const name = clear('name', cleanCell)
  const place: Place = {}
  const province = clear('province', cleanCell)
  if (province ?? region.province) place.province = province ? toProvince(province) : region.province!
  const city = clear('city', cleanCell) ?? region.city
  if (city) place.city = city
  const country = clear('country', cleanCell)
  if (country) place.country = country
  if (userId === undefined && externalIds.length === 0) {
    if (!reader.keepAnonymous) return undefined
    const anonymousId = `order:${shopOf(found)}:${orderId}`
    return { who: { anonymousId, externalIds, traits: {} }, place }
  }
  if (name) place.receiver = name
  const firstName = clear('first_name', cleanCell)
  const lastName = clear('last_name', cleanCell)
  const traits: Record<string, string> = {}
  const note = (trait: string, value: string | undefined) => {
    if (value) traits[trait] = value
  }
  note('name', name ?? ([firstName, lastName].filter(Boolean).join(' ') || undefined))
  note('first_name', firstName)
  note('last_name', lastName)
  note('phone', phone)
  note('email', email)
  note('province', place.province)
  note('city', place.city)
  note('country', place.country)
  return { who: { ...(userId ? { userId } : {}), externalIds, traits }, place }
}
