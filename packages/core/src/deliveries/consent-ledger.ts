import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { jsonText } from '../db/rows.ts'
import { type AgentClass, CONSENT_EVENTS } from '../events/consent-events.ts'
import type { ConsentTables } from './consent-tables.ts'

/** Where a consent was said; also what an event may say of itself in `origin`. */
const ORIGINS = ['form', 'import', 'api', 'person', 'page', 'receipt', 'plugin'] as const
type ConsentOrigin = (typeof ORIGINS)[number]

/** How texts are called; whatever else an event says is none. */
export const TEXT_ID = /^[a-z][a-z0-9-]{0,59}$/

export type LedgerEntry = ConsentTables['consent_ledger']

const PERSON: ReadonlySet<unknown> = new Set<AgentClass>(['mini_program', 'wechat', 'mobile', 'desktop'])

/** Consents after `from` up to `to` as the log has them, oldest first. */
export async function readConsentEvents(
  tx: Tx,
  { from, to, limit }: { from: number; to: number; limit: number },
): Promise<LedgerEntry[]> {
  const property = (key: string) => jsonText(tx, 'events.body', ['properties', key])
  const evidence = (key: string) => jsonText(tx, 'events.body', ['context', 'evidence', key])
  const rows = await tx
    .selectFrom('timeline')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .where('timeline.seq', '>', from)
    .where('timeline.seq', '<=', to)
    .where('timeline.name', 'in', CONSENT_EVENTS)
    .select(['timeline.seq', 'timeline.customer_id', 'timeline.name', 'timeline.ts', 'events.source'])
    .select([
      property('channel').as('channel'),
      property('purpose').as('purpose'),
      property('text').as('text'),
      property('text_version').as('text_version'),
      property('locale').as('locale'),
      property('reason').as('reason'),
      property('by').as('by'),
      property('origin').as('origin'),
      evidence('ip').as('address_hash'),
      evidence('agent').as('agent'),
    ])
    .orderBy('timeline.seq')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    seq: row.seq,
    customer_id: row.customer_id,
    channel: row.channel ?? '*',
    purpose: row.purpose ?? 'marketing',
    state: row.name === 'consent.granted' ? 'granted' : 'withdrawn',
    at: row.ts,
    name: row.name,
    origin: originOf(row),
    source: row.source,
    text_id: TEXT_ID.test(row.text ?? '') ? row.text : null,
    text_version: versionOf(row.text_version),
    locale: row.locale?.slice(0, 20) ?? null,
    address_hash: row.address_hash,
    agent: row.agent,
    note: row.reason?.slice(0, 500) ?? null,
    said_to: row.by,
  }))
}

function originOf({
  source,
  origin,
  agent,
}: Record<'source', string> & Record<'origin' | 'agent', string | null>) {
  if (source === 'huitou:operator') return 'person'
  if (source === 'huitou:unsubscribe') return 'page'
  if (source.startsWith('huitou:')) return 'receipt'
  const said = ORIGINS.find((one) => one === origin)
  if (said) return said
  if (source.startsWith('plugin:')) return 'plugin'
  if (source === 'import') return 'import'
  // Somebody's own browser sent it: they had a form before them.
  return (PERSON.has(agent) ? 'form' : 'api') satisfies ConsentOrigin
}

function versionOf(text: string | null): number | null {
  const version = Number(text ?? Number.NaN)
  return Number.isSafeInteger(version) && version > 0 && version < 1e9 ? version : null
}

/** Writes entries down, each once, and closes the versions of texts that they name. */
export async function writeLedger(tx: Tx, entries: readonly LedgerEntry[]): Promise<void> {
  await insertRows(tx, 'consent_ledger', {
    rows: entries,
    columns: {
      seq: 'integer',
      customer_id: 'integer',
      channel: 'text',
      purpose: 'text',
      state: 'text',
      at: 'integer',
      name: 'text',
      origin: 'text',
      source: 'text',
      text_id: 'text',
      text_version: 'integer',
      locale: 'text',
      address_hash: 'text',
      agent: 'text',
      note: 'text',
      said_to: 'text',
    },
    conflict: { columns: ['seq'], then: 'keep' },
  })
  const named = Map.groupBy(
    entries.filter(({ text_id, text_version }) => text_id !== null && text_version !== null),
    ({ text_id, text_version }) => JSON.stringify([text_id, text_version]),
  )
  for (const [first] of named.values())
    if (first)
      await tx
        .updateTable('consent_text_versions')
        .set({ used_at: first.at })
        .where('text_id', '=', first.text_id!)
        .where('version', '=', first.text_version!)
        .where(sql<boolean>`used_at is null`)
        .execute()
}
