import type { JourneyDefinition, JourneyNode } from '@huitou/admin-kit/api/journeys.ts'

/** Where the journey begins, as if it were a step. */
export const TRIGGER = '$trigger'

/** A way out of a step: `next`, `otherwise`, `case.0`, `arm.1`, `outcome.reached`; of the trigger only `next`. */
export interface Place {
  node: string
  port: string
}

export interface Port {
  port: string
  /** Step that it leads to; undefined where the journey ends. */
  target: string | undefined
}

/** Ways out of a step, in the order they stand beside each other. */
export function portsOf(node: JourneyNode): Port[] {
  switch (node.type) {
    case 'end':
      return []
    case 'branch':
      return [
        ...node.cases.map((each, index) => ({ port: `case.${index}`, target: each.next })),
        { port: 'otherwise', target: node.otherwise },
      ]
    case 'split':
      return node.arms.map((arm, index) => ({ port: `arm.${index}`, target: arm.next }))
    case 'task':
      return [
        ...outcomesOf(node).map((outcome) => ({
          port: `outcome.${outcome}`,
          target: node.outcomes[outcome],
        })),
        { port: 'next', target: node.next },
        { port: 'otherwise', target: node.otherwise },
      ]
    case 'action':
      // Without a way of its own, a failed action goes on like one that worked.
      return [
        { port: 'next', target: node.next },
        ...(node.otherwise === undefined ? [] : [{ port: 'otherwise', target: node.otherwise }]),
      ]
    case 'wait_event':
      return [
        { port: 'next', target: node.next },
        { port: 'otherwise', target: node.otherwise },
      ]
    default:
      return [{ port: 'next', target: node.next }]
  }
}

function outcomesOf(node: Extract<JourneyNode, { type: 'task' }>): string[] {
  return Object.keys(node.outcomes)
}

/** The step with one of its ways leading elsewhere; without `target` the journey ends there. */
export function withTarget(node: JourneyNode, port: string, target: string | undefined): JourneyNode {
  const [kind, key = ''] = splitPort(port)
  if (node.type === 'branch' && kind === 'case')
    return { ...node, cases: node.cases.map((each, at) => (at === Number(key) ? led(each, target) : each)) }
  if (node.type === 'split' && kind === 'arm')
    return { ...node, arms: node.arms.map((arm, at) => (at === Number(key) ? led(arm, target) : arm)) }
  if (node.type === 'task' && kind === 'outcome') {
    const { [key]: _, ...others } = node.outcomes
    return target === undefined
      ? { ...node, outcomes: others }
      : { ...node, outcomes: { ...node.outcomes, [key]: target } }
  }
  if (kind === 'otherwise' && 'otherwise' in withOtherwise(node)) {
    const { otherwise: _, ...rest } = node as Extract<JourneyNode, { type: 'branch' }>
    return (target === undefined ? rest : { ...rest, otherwise: target }) as JourneyNode
  }
  if (kind === 'next' && hasNext(node)) return led(node, target)
  return node
}

function splitPort(port: string): [kind: string, key?: string] {
  const dot = port.indexOf('.')
  return dot < 0 ? [port] : [port.slice(0, dot), port.slice(dot + 1)]
}

function led<T extends { next?: string | undefined }>(from: T, target: string | undefined): T {
  const { next: _, ...rest } = from
  return (target === undefined ? rest : { ...rest, next: target }) as T
}

function hasNext(node: JourneyNode): node is Exclude<JourneyNode, { type: 'branch' | 'split' | 'end' }> {
  return node.type !== 'branch' && node.type !== 'split' && node.type !== 'end'
}

/** Steps that may go on in a second way are told by their type, for the property is absent where that way ends. */
function withOtherwise(node: JourneyNode): object {
  const may = ['branch', 'wait_event', 'task', 'action'].includes(node.type)
  return may ? { otherwise: true } : {}
}

export interface Edge extends Place {
  id: string
  target: string | undefined
}

/** Every way of the journey, beginning with the one into it. */
export function edgesOf({ start, nodes }: JourneyDefinition): Edge[] {
  return [
    { id: edgeId({ node: TRIGGER, port: 'next' }), node: TRIGGER, port: 'next', target: start },
    ...Object.entries(nodes).flatMap(([id, node]) =>
      portsOf(node).map(({ port, target }) => ({ id: edgeId({ node: id, port }), node: id, port, target })),
    ),
  ]
}

export function edgeId({ node, port }: Place): string {
  return `${node}:${port}`
}

/** Steps that the trigger leads to, in the order in which they are come upon. */
export function reachedFrom(start: string, nodes: JourneyDefinition['nodes']): Set<string> {
  const reached = new Set<string>()
  const open = [start]
  for (let id = open.shift(); id !== undefined; id = open.shift()) {
    const node = nodes[id]
    if (!node || reached.has(id)) continue
    reached.add(id)
    open.push(...portsOf(node).flatMap(({ target }) => (target === undefined ? [] : [target])))
  }
  return reached
}
