import { userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { Db } from '../db/database.ts'
import { jsonText } from '../db/rows.ts'
import type { EventLog } from '../events/append.ts'
import { nameOf, readPeople } from '../journeys/people.ts'
import { authorNames } from '../people/author-names.ts'
import { CONSENT_EVENTS, type ConsentPurpose } from './consents.ts'

/** Source of consents that a person entered. */
const BY_HAND = 'huitou:operator'

export interface CustomerConsent {
  channel: string
  purpose: string
  state: 'granted' | 'withdrawn'
  at: number
  source: string
}

export interface ConsentEvent {
  seq: number
  name: string
  at: number
  channel: string | null
  purpose: string | null
  /** Where it was heard: a write key, an extension, a person here. */
  source: string
  reason: string | null
  by: string | null
}

/** What a customer allows, and what that rests on, newest first. */
export async function readConsentsOf(
  db: Db,
  customerId: number,
): Promise<{ consents: CustomerConsent[]; evidence: ConsentEvent[] }> {
  const consents = await db
    .selectFrom('consents')
    .innerJoin('identifiers', 'identifiers.id', 'consents.customer_id')
    .where('identifiers.customer_id', '=', customerId)
    .select(['channel', 'purpose', 'state', 'at', 'source'])
    .orderBy('at', 'desc')
    .execute()
  const events = await db
    .selectFrom('timeline')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .where('timeline.customer_id', '=', customerId)
    .where('timeline.name', 'in', CONSENT_EVENTS)
    .select(['timeline.seq', 'timeline.name', 'timeline.ts as at', 'events.source'])
    .select(
      (['channel', 'purpose', 'reason', 'by'] as const).map((key) =>
        jsonText(db, 'events.body', ['properties', key]).as(key),
      ),
    )
    .orderBy('timeline.ts', 'desc')
    .orderBy('timeline.seq', 'desc')
    .limit(50)
    .execute()
  const names = await authorNames(
    db,
    events.flatMap(({ by }) => (by === null ? [] : [`person:${by}`])),
  )
  // Of several records that became one customer the latest word counts, and of two at once the no.
  const latest = new Map<string, CustomerConsent>()
  for (const consent of consents) {
    const key = `${consent.channel} ${consent.purpose}`
    const known = latest.get(key)
    if (!known || (known.at === consent.at && consent.state === 'withdrawn')) latest.set(key, consent)
  }
  return {
    consents: [...latest.values()],
    evidence: events.map((event) => ({
      ...event,
      by: event.by === null ? null : (names[`person:${event.by}`] ?? event.by),
    })),
  }
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
  },
): Promise<void> {
  const person = (await readPeople(database.db, [customerId])).get(customerId)
  if (!person || person.identifiers.length === 0)
    throw userError('E_NO_IDENTIFIER', `Nothing names customer ${customerId}`, { status: 409 })
  const { channel, purpose, state, reason, userId } = change
  const now = clock.now()
  await events.append([
    {
      message_id: `consent:${person.id}:${channel}:${purpose}:${now}`,
      source: BY_HAND,
      type: 'track',
      name: `consent.${state}`,
      ts: now,
      version: now,
      body: JSON.stringify({ ...nameOf(person), properties: { channel, purpose, reason, by: userId } }),
    },
  ])
}
