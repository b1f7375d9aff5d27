import { userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { Db } from '../db/database.ts'
import type { EventLog } from '../events/append.ts'
import { nameOf, readPeople } from '../journeys/people.ts'
import { authorNames } from '../people/author-names.ts'
import { byLatest, readRenewals, renewalOf } from './consent-renewals.ts'
import type { ConsentPurpose } from './consents.ts'

/** Source of consents that a person entered. */
const BY_HAND = 'huitou:operator'

interface CustomerConsent {
  channel: string
  purpose: string
  state: 'granted' | 'withdrawn'
  at: number
  source: string
  textId: string | null
  textVersion: number | null
  /** From then on it counts no more, since its text has changed; null when it goes on counting. */
  endsAt: number | null
}

/** One word of the customer, and what it rests on. */
interface LedgerLine {
  seq: number
  name: string
  at: number
  channel: string
  purpose: string
  state: 'granted' | 'withdrawn'
  /** How it came here: a form, a file, a person … */
  origin: string
  /** Where it was heard: a write key, an extension, a person here. */
  source: string
  textId: string | null
  textTitle: string | null
  textVersion: number | null
  /** What the text said, in the language that was shown or else the first. */
  textBody: string | null
  locale: string | null
  /** Fingerprint of the address; the same for the same address. */
  addressHash: string | null
  agent: string | null
  reason: string | null
  by: string | null
}

const LINES = 100

/** What a customer allows, and what that rests on, newest first. */
export async function readConsentsOf(
  db: Db,
  customerId: number,
): Promise<{ consents: CustomerConsent[]; evidence: LedgerLine[] }> {
  const consents = await db
    .selectFrom('consents')
    .innerJoin('identifiers', 'identifiers.id', 'consents.customer_id')
    .where('identifiers.customer_id', '=', customerId)
    .select(['channel', 'purpose', 'state', 'at', 'source', 'text_id', 'text_version'])
    .orderBy('at', 'desc')
    .execute()
  const renewals = await readRenewals(db)
  // Of several records that became one customer the latest word counts, and of two at once the no.
  const latest = new Map<string, (typeof consents)[number]>()
  for (const consent of consents.toSorted(byLatest)) {
    const key = `${consent.channel} ${consent.purpose}`
    if (!latest.has(key)) latest.set(key, consent)
  }
  return {
    consents: [...latest.values()].map((consent) => ({
      channel: consent.channel,
      purpose: consent.purpose,
      state: consent.state,
      at: consent.at,
      source: consent.source,
      textId: consent.text_id,
      textVersion: consent.text_version,
      endsAt: renewalOf(consent, renewals)?.from ?? null,
    })),
    evidence: await readLedgerOf(db, customerId),
  }
}

async function readLedgerOf(db: Db, customerId: number): Promise<LedgerLine[]> {
  const lines = await db
    .selectFrom('consent_ledger as l')
    .innerJoin('identifiers', 'identifiers.id', 'l.customer_id')
    .leftJoin('consent_texts as t', 't.id', 'l.text_id')
    .leftJoin('consent_text_versions as v', (join) =>
      join.onRef('v.text_id', '=', 'l.text_id').onRef('v.version', '=', 'l.text_version'),
    )
    .where('identifiers.customer_id', '=', customerId)
    .selectAll('l')
    .select(['t.title', 'v.variants'])
    .orderBy('l.at', 'desc')
    .orderBy('l.seq', 'desc')
    .limit(LINES)
    .execute()
  const names = await authorNames(
    db,
    lines.flatMap(({ said_to }) => (said_to === null ? [] : [`person:${said_to}`])),
  )
  return lines.map((line) => ({
    seq: line.seq,
    name: line.name,
    at: line.at,
    channel: line.channel,
    purpose: line.purpose,
    state: line.state,
    origin: line.origin,
    source: line.source,
    textId: line.text_id,
    textTitle: line.title,
    textVersion: line.text_version,
    textBody: bodyOf(line.variants, line.locale),
    locale: line.locale,
    addressHash: line.address_hash,
    agent: line.agent,
    reason: line.note,
    by: line.said_to === null ? null : (names[`person:${line.said_to}`] ?? line.said_to),
  }))
}

function bodyOf(variants: string | null, locale: string | null): string | null {
  if (variants === null) return null
  const texts = JSON.parse(variants) as Record<string, string>
  return texts[locale ?? ''] ?? Object.values(texts)[0] ?? null
}

/** Writes into the log what a customer told a person; it counts from now on, as every other consent does. */
export async function changeConsent(
  { database, clock, events }: Pick<CoreContext, 'database' | 'clock'> & { events: EventLog },
  customerId: number,
  change: {
    channel: string
    purpose: ConsentPurpose
    state: 'granted' | 'withdrawn'
    reason: string
    userId: string
    text?: { id: string; version: number; locale?: string | undefined } | undefined
  },
): Promise<void> {
  const person = (await readPeople(database.db, [customerId])).get(customerId)
  if (!person || person.identifiers.length === 0)
    throw userError('E_NO_IDENTIFIER', `Nothing names customer ${customerId}`, { status: 409 })
  const { channel, purpose, state, reason, userId, text } = change
  const now = clock.now()
  await events.append([
    {
      message_id: `consent:${person.id}:${channel}:${purpose}:${now}`,
      source: BY_HAND,
      type: 'track',
      name: `consent.${state}`,
      ts: now,
      version: now,
      body: JSON.stringify({
        ...nameOf(person),
        properties: { channel, purpose, reason, by: userId, ...textProperties(text) },
      }),
    },
  ])
}

/** How an event says which text somebody saw. */
export function textProperties(
  text: { id: string; version: number; locale?: string | undefined } | undefined,
): Record<string, unknown> {
  return text
    ? { text: text.id, text_version: text.version, ...(text.locale ? { locale: text.locale } : {}) }
    : {}
}
