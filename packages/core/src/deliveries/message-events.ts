import type { Selectable } from 'kysely'
import type { Tx } from '../db/database.ts'
import { insertEvents } from '../events/append.ts'
import type { NewEvent } from '../events/normalize.ts'
import { nameOf, type Person } from '../journeys/people.ts'
import type { DeliveryRow } from './tables.ts'

/** Source of what happens to messages, in the log of events. */
export const MESSAGE_SOURCE = 'huitou:deliveries'

export interface MessageEvent {
  /** The same for the same thing told twice. */
  id: string
  name: string
  at: number
  person: Person
  delivery: Pick<Selectable<DeliveryRow>, 'id' | 'channel' | 'journey_id' | 'node' | 'purpose'>
  more?: Record<string, unknown>
  context?: Record<string, unknown>
  /** Who says so; the deliveries themselves if absent. */
  source?: string
}

/**
 * Closes the loop: what became of messages goes into the log, onto the timeline and into segments. Nobody got a test,
 * so it is not there.
 */
export async function appendMessageEvents(
  tx: Tx,
  events: readonly MessageEvent[],
  now: number,
): Promise<void> {
  const rows = events
    .filter(({ person, delivery }) => person.identifiers.length > 0 && delivery.purpose !== 'test')
    .map(({ id, name, at, person, delivery, more, context, source = MESSAGE_SOURCE }): NewEvent => ({
      message_id: id,
      source,
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
        ...(context ? { context } : {}),
      }),
    }))
  if (rows.length > 0) await insertEvents(tx, rows, now)
}
