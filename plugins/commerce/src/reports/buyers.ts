import { valueAt, type Huitou } from '@huitou/plugin-api'

export interface Buyer {
  id: number
  orders: number
  /** Minor units. */
  spend: number
  /** First order in the time asked for, epoch milliseconds. */
  first: number
}

interface Span {
  from?: number
  before?: number
}

/** Customers with a paid order in the time asked for, of a segment if one is given. */
export async function readBuyers(
  huitou: Pick<Huitou, 'events' | 'customers'>,
  span: Span,
  segmentId?: string,
): Promise<Buyer[]> {
  const { from, before } = span
  const [batch, members] = await Promise.all([
    huitou.events.perCustomer({
      events: ['order.paid'],
      ...(from === undefined ? {} : { from }),
      ...(before === undefined ? {} : { before }),
    }),
    segmentId === undefined ? undefined : huitou.customers.read({ columns: [], segmentId }),
  ])
  const inSegment = members && new Set(members.ids)
  const { count, value, first } = batch.columns
  const number = (vector: typeof count, row: number) => (vector ? Number(valueAt(vector, row) ?? 0) : 0)
  const buyers: Buyer[] = []
  batch.ids.forEach((id, row) => {
    if (inSegment && !inSegment.has(id)) return
    buyers.push({ id, orders: number(count, row), spend: number(value, row), first: number(first, row) })
  })
  return buyers
}

export async function countBuyers(
  huitou: Pick<Huitou, 'events' | 'customers'>,
  span: Span,
  segmentId?: string,
): Promise<number> {
  return (await readBuyers(huitou, span, segmentId)).length
}
