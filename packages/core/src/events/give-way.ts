import type { Stage } from '../loop.ts'
import type { EventLog } from './append.ts'

/** However long a piece of work took, it gives way no longer than this. */
const LONGEST_MS = 500

/**
 * The same stages, which leave as much time to events that want in as they take themselves. For a database that all
 * share one connection of: pieces of work would take turns with the senders there, and a piece is longer than an append.
 */
export function giveWay(stages: readonly Stage[], events: Pick<EventLog, 'isBusy'>): Stage[] {
  return stages.map((stage) => ({
    ...stage,
    async advance() {
      const begun = performance.now()
      if (!(await stage.advance())) return false
      const ended = performance.now()
      const until = ended + Math.min(ended - begun, LONGEST_MS)
      // Whoever heard of their events just now may send the next ones in the same turn.
      do await new Promise<void>((resolve) => void setImmediate(resolve))
      while (events.isBusy() && performance.now() < until)
      return true
    },
  }))
}
