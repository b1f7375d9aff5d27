import type { Receipt, ReceiptKind } from '@huitou/plugin-api'

const kinds = new Set<string>([
  'delivered',
  'read',
  'clicked',
  'replied',
  'bounced',
  'complained',
  'unsubscribed',
  'failed',
] satisfies ReceiptKind[])

/** Receipts in the body of a request, one or a list of them; undefined when it holds anything else. */
export function readReceipts(body: Uint8Array, now: number): Receipt[] | undefined {
  try {
    const sent: unknown = JSON.parse(new TextDecoder().decode(body))
    const receipts = (Array.isArray(sent) ? sent : [sent]).map((one) => readReceipt(one, now))
    return receipts.every((receipt) => receipt !== undefined) ? receipts : undefined
  } catch {
    return undefined
  }
}

function readReceipt(one: unknown, now: number): Receipt | undefined {
  const { id, kind, at = now, ...rest } = (one ?? {}) as Record<string, unknown>
  if (typeof id !== 'string' || id === '' || typeof kind !== 'string' || !kinds.has(kind)) return undefined
  if (typeof at !== 'number' || !Number.isFinite(at)) return undefined
  const told = ['code', 'message', 'detail'].flatMap((name) =>
    typeof rest[name] === 'string' ? [[name, rest[name].slice(0, 1000)]] : [],
  )
  return { providerId: id, key: id, kind: kind as ReceiptKind, at, ...Object.fromEntries(told) }
}
