import type { Kysely } from 'kysely'
import type { Tx } from '../db/database.ts'
import type { EventBody } from './normalize.ts'

/** What of an event tells whom it is about. */
export interface NamedEvent {
  type: string
  body: EventBody
}

/** Keeps out of the log whatever may not be in it. */
export interface EventGate {
  /** Positions of the events that may not be kept; `at` reads one of the `count`, and is not called in vain. */
  refused(tx: Tx, count: number, at: (position: number) => NamedEvent): Promise<ReadonlySet<number>>
  /** What may be kept of an address, to compare it with another: a keyed hash. */
  fingerprint(text: string): string
}

const gates = new WeakMap<object, EventGate>()
const NONE: ReadonlySet<number> = new Set()

/** From now on the gate is asked about every event, whichever way it comes into this database. */
export function setEventGate(db: Kysely<any>, gate: EventGate): void {
  gates.set(adapterOf(db), gate)
}

/** Positions of events that the database's gate refuses; none when it has no gate. */
export async function refusedEvents(
  tx: Tx,
  count: number,
  at: (position: number) => NamedEvent,
): Promise<ReadonlySet<number>> {
  const gate = count === 0 ? undefined : gates.get(adapterOf(tx))
  return gate ? await gate.refused(tx, count, at) : NONE
}

/** Makes fingerprints with the key of the database's gate; undefined when it has no gate. */
export function fingerprintsOf(db: Kysely<any>): ((text: string) => string) | undefined {
  const gate = gates.get(adapterOf(db))
  return gate && ((text) => gate.fingerprint(text))
}

/** A handle and its transactions share the adapter. */
function adapterOf(db: Kysely<any>): object {
  return db.getExecutor().adapter
}
