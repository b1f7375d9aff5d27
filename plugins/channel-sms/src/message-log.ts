import type { Collection, CollectionRecord } from '@huitou/plugin-api'

/**
 * One text that went out, or may have: the law wants to know for half a year who was written to, when and with what,
 * and providers name a reply only by its number.
 */
export interface LoggedSms {
  provider: 'aliyun' | 'tencent'
  key: string
  provider_id?: string
  phone: string
  customer?: number
  signature?: string
  template?: string
  at: string
  outcome?: string
  reply?: string
  replied_at?: string
}

type Log = Collection<LoggedSms>

/** Those of the messages with these provider's ids that are in the log. */
export async function findByProviderIds(
  log: Log,
  provider: LoggedSms['provider'],
  ids: readonly string[],
): Promise<CollectionRecord<LoggedSms>[]> {
  if (ids.length === 0) return []
  const where = { provider, provider_id: { in: [...ids] } }
  const { records } = await log.find({ where, limit: Math.min(1000, ids.length) })
  return records
}

/** The message that a reply from the number answers: the latest before it. */
export async function findAnswered(
  log: Log,
  { provider, phone, at }: { provider: LoggedSms['provider']; phone: string; at: number },
): Promise<CollectionRecord<LoggedSms> | undefined> {
  // Clocks of providers are a little off, and write whole seconds.
  const before = new Date(at + 60_000).toISOString()
  const { records } = await log.find({
    where: { provider, phone, at: { lte: before } },
    sort: { field: 'at', direction: 'desc' },
    limit: 1,
  })
  return records[0]
}
