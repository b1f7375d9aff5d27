import type { Tx } from '../db/database.ts'
import { insertEvents } from '../events/append.ts'
import type { NewEvent } from '../events/normalize.ts'
import type { JourneyDefinition } from './definition.ts'
import { nameOf, readPeople } from './people.ts'
import { JOURNEY_SOURCE, journeyNames } from './take-out.ts'

/** Whether a journey does nothing but advertise: it sends, and not one of its messages is about an order. */
export function isMarketing({ nodes }: JourneyDefinition): boolean {
  const sends = Object.values(nodes).filter((node) => node.type === 'send')
  return sends.length > 0 && sends.every(({ purpose }) => purpose !== 'service')
}

/** Says on their timelines that customers were not taken into a journey, once for each journey. */
export async function tellKeptOut(
  tx: Tx,
  journey: { id: string; version: number },
  { customers, now }: { customers: ReadonlySet<number>; now: number },
): Promise<void> {
  const people = await readPeople(tx, customers)
  const name = (await journeyNames(tx, [journey.id])).get(journey.id)
  const events = [...new Set(people.values())].map((person): NewEvent => ({
    message_id: `kept-out:${journey.id}:${person.id}`,
    source: JOURNEY_SOURCE,
    type: 'track',
    name: 'journey.kept_out',
    ts: now,
    version: now,
    body: JSON.stringify({
      ...nameOf(person),
      properties: { journey_id: journey.id, journey: name, reason: 'do_not_profile' },
    }),
  }))
  if (events.length > 0) await insertEvents(tx, events, now)
}
