import type { Tx } from '../db/database.ts'
import { insertEvents } from '../events/append.ts'
import type { NewEvent } from '../events/normalize.ts'
import { nameOf, type Person } from '../journeys/people.ts'

/** Source of what happens to messages, in the log of events. */
export const MESSAGE_SOURCE = 'huitou:deliveries'

export interface MessageEvent {
  /** The same for the same thing told twice. */
  id: string
  name: string
  at: number
  person: Person
  delivery: { id: number; channel: string; journey_id: string | null; node: string | null }
  more?: Record<string, unknown>
}

/** Closes the loop: what became of messages goes into the log, onto the timeline and into segments. */
export async function appendMessageEvents(
  tx: Tx,
  events: readonly MessageEvent[],
  now: number,
): Promise<void> {
  const rows = events
    .filter(({ person }) => person.identifiers.length > 0)
    .map(({ id, name, at, person, delivery, more }): NewEvent => ({
      message_id: id,
      source: MESSAGE_SOURCE,
      type: 'track',
      name,
      ts: at,
      version: at,
      body: JSON.stringify({
        ...nameOf(person),
        properties: {
          delivery_id: delivery.id,
          channel: delivery.channel,
          ...(delivery.journey_id === null ? {} : { journey_id: delivery.journey_id, node: delivery.node }),
          ...more,
        },
      }),
    }))
  if (rows.length > 0) await insertEvents(tx, rows, now)
}
