import type { JourneyNode, StepStats } from '@huitou/admin-kit/api/journeys.ts'

/** How many went which way, from what was counted at each step. */
export function figuresOf(stats: readonly StepStats[]) {
  const byNode = new Map(stats.map((stat) => [stat.node, stat]))
  const outcome = (node: string, name: string) => byNode.get(node)?.outcomes[name] ?? 0
  const treated = outcome('$entry', 'treated')
  const heldOut = outcome('$entry', 'holdout')
  return {
    treated,
    heldOut,
    entered: treated + heldOut,
    goals: outcome('$goal', 'treated'),
    goalsHeldOut: outcome('$goal', 'holdout'),
    of: (node: string) => byNode.get(node),
    /** Who left a step by one of its ways. */
    through(id: string, node: JourneyNode, port: string): number {
      const stat = byNode.get(id)
      if (!stat) return 0
      const names = outcomesOf(node, port)
      if (names) return names.reduce((sum, name) => sum + (stat.outcomes[name] ?? 0), 0)
      const others = namedElsewhere(node)
      return Object.entries(stat.outcomes).reduce(
        (sum, [name, count]) => (others.has(name) ? sum : sum + count),
        0,
      )
    },
  }
}

export type Figures = ReturnType<typeof figuresOf>

/** Outcomes of an action that came to nothing. */
const FAILED = ['failed', 'timeout']

/** Outcomes that a way stands for; undefined for the one that takes all the rest. */
function outcomesOf(node: JourneyNode, port: string): string[] | undefined {
  const [kind, key = ''] = port.split('.')
  if (node.type === 'branch') return [kind === 'otherwise' ? 'otherwise' : `case:${Number(key) + 1}`]
  if (node.type === 'split') return [`arm:${node.arms[Number(key)]?.name ?? ''}`]
  if (kind === 'outcome') return [`done:${key}`]
  if (kind === 'otherwise') return node.type === 'action' ? FAILED : ['timeout']
  return undefined
}

function namedElsewhere(node: JourneyNode): Set<string> {
  const names = new Set<string>()
  if (node.type === 'wait_event' || node.type === 'task') names.add('timeout')
  if (node.type === 'action' && node.otherwise !== undefined) for (const name of FAILED) names.add(name)
  if (node.type === 'task')
    for (const id of Object.keys(node.outcomes))
      for (const name of outcomesOf(node, `outcome.${id}`)!) names.add(name)
  return names
}
