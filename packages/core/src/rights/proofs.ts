import type { Db, Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { idRows } from '../db/rows.ts'
import { normalizeIdentifier } from '../identity/identifiers.ts'
import type { Suppressed, Suppression } from './suppression.ts'

const DAY_MS = 86_400_000

/** What is left of a word of a customer once they are erased: to the day, and of nobody in particular. */
interface ProvenConsent {
  purpose: string
  channel: string
  state: 'granted' | 'withdrawn'
  /** Start of the day in UTC: by the minute somebody else's records could tell whose it was. */
  day: number
  origin: string
  textId: string | null
  textVersion: number | null
}

/** That somebody of a name was erased, and what they had allowed until then. */
export interface ErasureProof {
  erasureId: string
  requestedAt: number
  finishedAt: number | null
  consents: ProvenConsent[]
}

/** What stays of the consents of the customer who is known as `ids`. */
export async function provenConsents(tx: Tx, ids: readonly number[]): Promise<ProvenConsent[]> {
  const rows = await tx
    .selectFrom(idRows(tx, ids))
    .innerJoin('consent_ledger', 'consent_ledger.customer_id', 'r.id')
    .select(['purpose', 'channel', 'state', 'at', 'origin', 'text_id', 'text_version'])
    .orderBy('at')
    .orderBy('seq')
    .execute()
  return rows.map(({ purpose, channel, state, at, origin, text_id, text_version }) => ({
    purpose,
    channel,
    state,
    day: Math.floor(at / DAY_MS) * DAY_MS,
    origin,
    textId: text_id,
    textVersion: text_version,
  }))
}

export async function writeProofs(
  tx: Tx,
  hashes: readonly Suppressed[],
  { erasure_id, key_id }: { erasure_id: string; key_id: string },
): Promise<void> {
  await insertRows(tx, 'erasure_proofs', {
    rows: hashes.map(({ hash, kind }) => ({ erasure_id, hash, kind, key_id })),
    columns: { erasure_id: 'text', hash: 'text', kind: 'text', key_id: 'text' },
    conflict: { columns: ['hash', 'erasure_id'], then: 'keep' },
  })
}

/** Every erasure of somebody of that name, the latest first. */
export async function findProofs(
  db: Db,
  suppression: Suppression,
  { kind, value }: { kind: string; value: string },
): Promise<ErasureProof[]> {
  const normal = normalizeIdentifier(kind, value)
  if (normal === undefined) return []
  const rows = await db
    .selectFrom('erasure_proofs')
    .innerJoin('erasures', 'erasures.id', 'erasure_proofs.erasure_id')
    .select(['erasures.id', 'requested_at', 'finished_at', 'consents'])
    .where('hash', '=', suppression.hash({ kind, value: normal }))
    .orderBy('requested_at', 'desc')
    .execute()
  return rows.map(({ id, requested_at, finished_at, consents }) => ({
    erasureId: id,
    requestedAt: requested_at,
    finishedAt: finished_at,
    consents: JSON.parse(consents) as ProvenConsent[],
  }))
}
