import type { ExpressionBuilder } from 'kysely'
import type { Tables } from '../schema.ts'
import type { Clock } from '../clock.ts'
import type { JobNode } from './jobs.ts'

/** What leases are measured by: whoever is at work does not lose it because the demo shop's days go by. */
export function leaseTime(clock: Clock): number {
  return clock.machine?.() ?? clock.now()
}

/** How long a job belongs to a worker that says nothing. */
export const LEASE_MS = 30_000

/** Jobs that a node may do: those that need its folder, and, unless it answers HTTP only, those that need none. */
export function isFor(node: JobNode | undefined) {
  return ({ eb, or, and }: ExpressionBuilder<Tables, 'jobs'>) => {
    if (!node) return and([])
    if (!node.takesAll) return eb('place', '=', node.place)
    return or([eb('place', 'is', null), eb('place', '=', node.place)])
  }
}
