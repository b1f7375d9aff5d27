import type { JourneyDefinition, JourneyNode } from '@huitou/admin-kit/api/journeys.ts'
import { portsOf, withTarget } from './ports.ts'

/** One difference between two definitions. */
export type JourneyChange =
  | { kind: 'added' | 'removed'; id: string; node: JourneyNode }
  | { kind: 'changed'; id: string; before: JourneyNode; after: JourneyNode }
  /** The step does the same and leads elsewhere. */
  | { kind: 'led'; id: string; node: JourneyNode }
  | { kind: 'setting'; part: Setting }

export type Setting = 'trigger' | 'filter' | 'reentry' | 'holdout' | 'goal' | 'exits' | 'start'

const settings: Setting[] = ['trigger', 'filter', 'reentry', 'holdout', 'goal', 'exits', 'start']

/** What changes for customers who come in from now on, in the order in which it is read. */
export function diffJourney(before: JourneyDefinition, after: JourneyDefinition): JourneyChange[] {
  const parts = settings
    .filter((part) => !same(before[part], after[part]))
    .map((part): JourneyChange => ({ kind: 'setting', part }))
  const here = Object.entries(after.nodes).flatMap(([id, node]): JourneyChange[] => {
    const old = before.nodes[id]
    if (!old) return [{ kind: 'added', id, node }]
    if (same(old, node)) return []
    return same(alone(old), alone(node))
      ? [{ kind: 'led', id, node }]
      : [{ kind: 'changed', id, before: old, after: node }]
  })
  const gone = Object.entries(before.nodes)
    .filter(([id]) => !after.nodes[id])
    .map(([id, node]): JourneyChange => ({ kind: 'removed', id, node }))
  return [...parts, ...here, ...gone]
}

/** The step without where it leads. */
function alone(node: JourneyNode): JourneyNode {
  return portsOf(node).reduce((bare, { port }) => withTarget(bare, port, undefined), node)
}

function same(one: unknown, other: unknown): boolean {
  return text(one) === text(other)
}

/** Properties may stand in any order. */
function text(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? ''
  )
}
