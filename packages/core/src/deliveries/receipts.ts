import type { Receipt, ReceiptKind } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { insertRows, updateRows } from '../db/insert-rows.ts'
import { isOneOf, rowsOf } from '../db/rows.ts'
import { appendMessageEvents } from './message-events.ts'
import { type Person, readPeople } from '../journeys/people.ts'
import type { StoredDelivery } from './next-messages.ts'
import { type DeadAddress, markUndeliverable } from './reachability.ts'
import type { DeliveryState } from './tables.ts'

/** How far a message has come; a receipt never takes it back. */
const RANKS: Partial<Record<DeliveryState, number>> = {
  planned: 0,
  leased: 0,
  unknown: 0,
  pending: 1,
  sent: 2,
  delivered: 3,
  read: 4,
  clicked: 5,
  replied: 6,
}
/** States that a receipt ends a message in, however far it had come. */
const ENDS = new Set<string>(['bounced', 'complained', 'failed'])
/** There may be more to hear of it. */
const ASKED_AFTER = new Set<DeliveryState>(['pending', 'sent', 'delivered', 'read'])
/** Kinds that say that it reached the address. */
const ARRIVED = new Set<ReceiptKind>(['delivered', 'read', 'clicked', 'replied'])
/** May happen more than once to one message. */
const REPEATABLE = new Set<ReceiptKind>(['clicked', 'replied'])
const KINDS = new Set<string>([
  'delivered',
  'read',
  'clicked',
  'replied',
  'bounced',
  'complained',
  'unsubscribed',
  'failed',
])

/**
 * Writes what a provider reports, in whatever order and however often it does. A receipt settles a message whose
 * fate was unknown. Receipts that came before the answer to their message are kept for it. Returns how many told
 * something new.
 */
export async function recordReceipts(
  tx: Tx,
  { channel, receipts, now }: { channel: string; receipts: readonly Receipt[]; now: number },
): Promise<number> {
  const sound = receipts.filter(({ kind, at }) => KINDS.has(kind) && Number.isFinite(at))
  if (sound.length === 0) return 0
  const found = await findDeliveries(tx, channel, sound)
  const early = sound.filter((receipt) => !found(receipt))
  await insertRows(tx, 'early_receipts', {
    rows: early.map((receipt) => ({
      channel,
      provider_id: receipt.providerId,
      receipt: JSON.stringify(receipt),
      at: now,
    })),
    columns: { channel: 'text', provider_id: 'text', receipt: 'text', at: 'integer' },
  })
  const known = sound.flatMap((receipt) => {
    const row = found(receipt)
    return row ? [{ row, receipt }] : []
  })
  const written = await insertRows(tx, 'delivery_events', {
    rows: known.map(({ row, receipt }) => ({
      delivery_id: row.id,
      at: Math.round(receipt.at),
      kind: receipt.kind,
      reason: receipt.code ?? null,
      details:
        receipt.message || receipt.detail
          ? JSON.stringify({ message: receipt.message, detail: receipt.detail })
          : null,
      receipt_key: `${row.id} ${receipt.kind}${REPEATABLE.has(receipt.kind) ? ` ${Math.round(receipt.at)}` : ''}`,
    })),
    columns: {
      delivery_id: 'integer',
      at: 'integer',
      kind: 'text',
      reason: 'text',
      details: 'text',
      receipt_key: 'text',
    },
    conflict: { columns: ['receipt_key'], then: 'keep' },
  })
  const news = written.map((position) => known[position] as (typeof known)[number])
  if (news.length === 0) return 0
  await advanceStates(tx, news, now)
  await countAnswers(tx, news)
  const people = await readPeople(
    tx,
    news.map(({ row }) => row.customer_id),
  )
  await markAddresses(tx, channel, { news, people })
  await appendMessageEvents(
    tx,
    news.flatMap(({ row, receipt }) => {
      const person = people.get(row.customer_id)
      if (!person) return []
      const id = `${row.key}:${receipt.kind}${REPEATABLE.has(receipt.kind) ? `:${Math.round(receipt.at)}` : ''}`
      const more = {
        ...(receipt.code === undefined ? {} : { code: receipt.code }),
        ...(receipt.detail === undefined ? {} : { detail: receipt.detail.slice(0, 1_000) }),
        ...(receipt.kind === 'clicked' && receipt.detail ? { url: receipt.detail.slice(0, 4_000) } : {}),
      }
      // A provider's clock that runs ahead must not put events into the future.
      const at = Math.min(Math.round(receipt.at), now)
      return [{ id, name: `message.${receipt.kind}`, at, person, delivery: row, more }]
    }),
    now,
  )
  return news.length
}

async function findDeliveries(tx: Tx, channel: string, receipts: readonly Receipt[]) {
  const byProvider = await tx
    .selectFrom(
      rowsOf(
        tx,
        [...new Set(receipts.map(({ providerId }) => providerId))].map((id) => ({ id })),
        { id: 'text' },
      ),
    )
    .innerJoin('deliveries', 'deliveries.provider_id', 'r.id')
    .where('deliveries.channel', '=', channel)
    .selectAll('deliveries')
    .execute()
  const keys = receipts.flatMap(({ key }) => (key === undefined ? [] : [{ key }]))
  const byKey =
    keys.length === 0
      ? []
      : await tx
          .selectFrom(rowsOf(tx, keys, { key: 'text' }))
          .innerJoin('deliveries', 'deliveries.key', 'r.key')
          .where('deliveries.channel', '=', channel)
          .selectAll('deliveries')
          .execute()
  const providers = new Map(byProvider.map((row) => [row.provider_id, row as StoredDelivery]))
  const named = new Map(byKey.map((row) => [row.key, row as StoredDelivery]))
  return ({ providerId, key }: Receipt) =>
    providers.get(providerId) ?? (key === undefined ? undefined : named.get(key))
}

interface News {
  row: StoredDelivery
  receipt: Receipt
}

async function advanceStates(tx: Tx, news: readonly News[], now: number): Promise<void> {
  const states = new Map<
    number,
    { row: StoredDelivery; state: DeliveryState; reason: string | null; providerId: string }
  >()
  for (const { row, receipt } of news) {
    const known = states.get(row.id) ?? {
      row,
      state: row.state,
      reason: row.reason,
      providerId: receipt.providerId,
    }
    states.set(row.id, known)
    if (receipt.kind === 'unsubscribed') {
      // The wish counts elsewhere; here it only proves that the message arrived.
      if ((RANKS[known.state] ?? 9) < 3) known.state = 'delivered'
      continue
    }
    if (ENDS.has(known.state)) continue
    if (ENDS.has(receipt.kind)) {
      known.state = receipt.kind
      known.reason = receipt.code ?? 'provider'
    } else if ((RANKS[receipt.kind as DeliveryState] ?? 0) > (RANKS[known.state] ?? 9))
      known.state = receipt.kind
  }
  await updateRows(tx, 'deliveries', {
    rows: [...states.values()].map(({ row, state, reason, providerId }) => ({
      id: row.id,
      state,
      reason,
      provider_id: row.provider_id ?? providerId,
      sent_at: row.sent_at ?? now,
      leased_until: null,
      poll_at: ASKED_AFTER.has(state) ? row.poll_at : null,
      updated_at: now,
    })),
    columns: {
      id: 'integer',
      state: 'text',
      reason: 'text',
      provider_id: 'text',
      sent_at: 'integer',
      leased_until: 'integer',
      poll_at: 'integer',
      updated_at: 'integer',
    },
    key: 'id',
  })
}

async function countAnswers(tx: Tx, news: readonly News[]): Promise<void> {
  for (const { row, receipt } of news) {
    const { kind } = receipt
    const isOpening = kind === 'read' || kind === 'clicked' || kind === 'replied'
    if (row.purpose === 'test' || (!isOpening && kind !== 'complained')) continue
    await tx
      .updateTable('contact_channels')
      .set({
        ...(kind === 'read' ? { opened: sql`opened + 1` } : {}),
        ...(kind === 'clicked' ? { clicked: sql`clicked + 1` } : {}),
        ...(kind === 'replied' ? { replied: sql`replied + 1` } : {}),
        ...(kind === 'complained' ? { complained: sql`complained + 1` } : {}),
        ...(isOpening ? { unopened: 0, last_opened_at: Math.round(receipt.at) } : {}),
      })
      .where('channel', '=', row.channel)
      .where('customer_id', '=', (where) =>
        where.selectFrom('identifiers').select('customer_id').where('id', '=', row.customer_id),
      )
      .execute()
  }
}

/** What came back for good, and what only came back; whatever arrives ends a row of the latter. */
async function markAddresses(
  tx: Tx,
  channel: string,
  { news, people }: { news: readonly News[]; people: ReadonlyMap<number, Person> },
): Promise<void> {
  const dead: DeadAddress[] = []
  const arrived = new Set<number>()
  const bounces = new Map<number, number>()
  for (const { row, receipt } of news) {
    const person = people.get(row.customer_id)
    if (!person || row.purpose === 'test') continue
    if (receipt.kind === 'bounced' && receipt.permanent) dead.push({ person, channel, at: receipt.at })
    else if (receipt.kind === 'bounced') bounces.set(person.id, (bounces.get(person.id) ?? 0) + 1)
    else if (ARRIVED.has(receipt.kind)) {
      arrived.add(person.id)
      bounces.delete(person.id)
    }
  }
  await markUndeliverable(tx, dead)
  const rows = () => tx.updateTable('contact_channels').where('channel', '=', channel)
  // Hardly anybody has a row of bounces to end.
  if (arrived.size > 0)
    await rows()
      .set({ bounced: 0 })
      .where(isOneOf(tx, 'customer_id', arrived))
      .where('bounced', '>', 0)
      .execute()
  for (const [customer, count] of bounces)
    await rows()
      .set({ bounced: sql`bounced + ${count}` })
      .where('customer_id', '=', customer)
      .execute()
}

/** Receipts that were quicker than the answer of the call that sent their message. */
export async function applyEarlyReceipts(
  tx: Tx,
  sent: readonly { channel: string; provider_id: string }[],
  now: number,
): Promise<void> {
  if (sent.length === 0) return
  const rows = await tx
    .deleteFrom('early_receipts')
    .where(
      sql<boolean>`(provider_id, channel) in (select r.provider_id, r.channel from ${rowsOf(tx, sent, { channel: 'text', provider_id: 'text' })})`,
    )
    .returning(['channel', 'receipt'])
    .execute()
  for (const [channel, group] of Map.groupBy(rows, (row) => row.channel)) {
    const receipts = group.map(({ receipt }) => JSON.parse(receipt) as Receipt)
    await recordReceipts(tx, { channel, receipts, now })
  }
}
