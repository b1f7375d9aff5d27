import { readCursor, writeCursor } from '../db/cursor.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { PROFILES_CURSOR } from '../profiles/project.ts'
import { announce } from '../profiles/store.ts'
import { clearOptedOut } from '../scores/opted-out.ts'
import { type LedgerEntry, readConsentEvents, writeLedger } from './consent-ledger.ts'
import { followRenewals } from './consent-renewals.ts'
import type { ConsentTables } from './consent-tables.ts'

const BATCH = 2_000
const CURSOR = 'consents'

/**
 * Folds what customers allow out of the log. Whoever unsubscribes or complains gets no more marketing on that
 * channel. Returns whether there may be more to read.
 */
export async function followConsents(db: Db): Promise<boolean> {
  if (!(await isBehind(db))) return false
  return await transact(db, async (tx) => {
    const from = await readCursor(tx, CURSOR)
    const to = await profilesPosition(tx)
    if (to <= from) return false
    const entries = await readConsentEvents(tx, { from, to, limit: BATCH })
    const last = entries.length === BATCH ? (entries.at(-1)?.seq ?? to) : to
    await writeLedger(tx, entries)
    await writeConsents(tx, entries)
    await followProfiling(
      tx,
      entries.filter(({ purpose }) => purpose === 'profiling').map(({ customer_id }) => customer_id),
    )
    await followRenewals(
      tx,
      entries.map(({ customer_id }) => customer_id),
    )
    await writeCursor(tx, CURSOR, last)
    return entries.length === BATCH
  })
}

/** Asked many times a second, nearly always for nothing: that takes no lock and no transaction. */
async function isBehind(db: Db): Promise<boolean> {
  const rows = await db
    .selectFrom('cursors')
    .select(['name', 'position'])
    .where('name', 'in', [CURSOR, PROFILES_CURSOR])
    .execute()
  const positionOf = (wanted: string) => rows.find(({ name }) => name === wanted)?.position ?? 0
  return positionOf(PROFILES_CURSOR) > positionOf(CURSOR)
}

/** Scores of who wants none go at once, and segments look at everybody who said something about it. */
async function followProfiling(tx: Tx, customers: readonly number[]): Promise<void> {
  if (customers.length === 0) return
  await clearOptedOut(tx, customers)
  await announce(
    tx,
    [...new Set(customers)].map((customer_id) => ({ customer_id, columns: '["*"]' })),
  )
}

async function profilesPosition(tx: Tx): Promise<number> {
  const row = await tx
    .selectFrom('cursors')
    .select('position')
    .where('name', '=', PROFILES_CURSOR)
    .executeTakeFirst()
  return row?.position ?? 0
}

/** What a consent is given for: what sells, what is about an order, and conclusions from what somebody does. */
export const CONSENT_PURPOSES = ['marketing', 'service', 'profiling'] as const
export type ConsentPurpose = (typeof CONSENT_PURPOSES)[number]

type ConsentRow = ConsentTables['consents']

/** The latest word counts; of two at the same moment the no. */
async function writeConsents(tx: Tx, entries: readonly LedgerEntry[]): Promise<void> {
  const latest = new Map<string, ConsentRow>()
  const keyOf = ({ customer_id, channel, purpose }: ConsentRow) =>
    JSON.stringify([customer_id, channel, purpose])
  if (entries.length === 0) return
  const stored = await tx
    .selectFrom('consents')
    .selectAll()
    .where('customer_id', 'in', [...new Set(entries.map(({ customer_id }) => customer_id))])
    .execute()
  for (const consent of [...stored, ...entries.map(toConsent)]) {
    const known = latest.get(keyOf(consent))
    const isLater =
      !known || consent.at > known.at || (consent.at === known.at && consent.state === 'withdrawn')
    if (isLater) latest.set(keyOf(consent), consent)
  }
  await insertRows(tx, 'consents', {
    rows: [...latest.values()],
    columns: {
      customer_id: 'integer',
      channel: 'text',
      purpose: 'text',
      state: 'text',
      at: 'integer',
      source: 'text',
      text_id: 'text',
      text_version: 'integer',
    },
    conflict: { columns: ['customer_id', 'channel', 'purpose'], then: 'replace' },
  })
}

function toConsent(entry: LedgerEntry): ConsentRow {
  const { customer_id, channel, purpose, state, at, source, text_id, text_version } = entry
  return { customer_id, channel, purpose, state, at, source, text_id, text_version }
}
