import type { JourneyDefinition, JourneyNode } from '@huitou/admin-kit/api/journeys.ts'
import { type Place, portsOf, reachedFrom, TRIGGER, withTarget } from './ports.ts'

/** A journey after an edit, and the step that the keyboard goes to. */
export interface Edited {
  definition: JourneyDefinition
  focus: string | undefined
}

/**
 * Puts a step onto a way: what the way led to comes after it, on each of its ways out. A step without ways out ends the
 * journey there, and what only stood behind it goes.
 */
export function insertStep(definition: JourneyDefinition, place: Place, node: JourneyNode): Edited {
  const id = freeId(definition, node.type)
  const after = targetAt(definition, place)
  let added = node
  for (const { port } of portsOf(node)) added = withTarget(added, port, after)
  const grown = { ...definition, nodes: { ...definition.nodes, [id]: added } }
  const led = leadTo(grown, place, id)
  return { definition: portsOf(node).length === 0 ? withoutLost(led, definition) : led, focus: id }
}

/** Takes a step out: whatever led to it leads to what came after it. The side ways that only it opened go with it. */
export function removeStep(definition: JourneyDefinition, id: string): Edited {
  const node = definition.nodes[id]
  if (!node) return { definition, focus: undefined }
  const after = portsOf(node)
    .map(({ target }) => target)
    .find((target) => target !== undefined && target !== id)
  const nodes: Record<string, JourneyNode> = {}
  for (const [each, other] of Object.entries(definition.nodes)) {
    if (each === id) continue
    nodes[each] = redirect(other, id, after)
  }
  if (definition.start === id && after === undefined) {
    const end = freeId({ ...definition, nodes }, 'end')
    nodes[end] = { type: 'end' }
    return { definition: withoutLost({ ...definition, start: end, nodes }, definition), focus: end }
  }
  const start = definition.start === id ? (after as string) : definition.start
  const left = withoutLost({ ...definition, start, nodes }, definition)
  return { definition: left, focus: after ?? start }
}

/** Leads a way to another step, or with `target` undefined to the end. The way in always leads somewhere. */
export function connect(
  definition: JourneyDefinition,
  place: Place,
  target: string | undefined,
): JourneyDefinition {
  if (target !== undefined && !definition.nodes[target]) return definition
  return leadTo(definition, place, target)
}

/** Puts a step that is there already onto another way; what came after it takes its old place. */
export function moveStep(definition: JourneyDefinition, id: string, place: Place): Edited {
  const node = definition.nodes[id]
  if (!node || place.node === id || targetAt(definition, place) === id) return { definition, focus: id }
  if (portsOf(node).length !== 1) return { definition, focus: id }
  const after = portsOf(node)[0]!.target
  const nodes = Object.fromEntries(
    Object.entries(definition.nodes).map(([each, other]) => [
      each,
      each === id ? other : redirect(other, id, after),
    ]),
  )
  if (definition.start === id && after === undefined) return { definition, focus: id }
  const start = definition.start === id ? (after as string) : definition.start
  const apart = { ...definition, start, nodes }
  const before = targetAt(apart, place)
  const moved = { ...apart, nodes: { ...nodes, [id]: withTarget(node, 'next', before) } }
  return { definition: leadTo(moved, place, id), focus: id }
}

/** A copy of a step, put right behind it. */
export function duplicateStep(definition: JourneyDefinition, id: string): Edited {
  const node = definition.nodes[id]
  const [first] = node ? portsOf(node) : []
  if (!node || !first) return { definition, focus: id }
  return insertStep(definition, { node: id, port: first.port }, structuredClone(node))
}

/** The same step with other settings. Steps that only a way led to which is gone now go as well. */
export function replaceStep(definition: JourneyDefinition, id: string, node: JourneyNode): JourneyDefinition {
  if (!definition.nodes[id]) return definition
  return withoutLost({ ...definition, nodes: { ...definition.nodes, [id]: node } }, definition)
}

/** An id that is free and says what the step is: `send`, `send_2` … */
export function freeId({ nodes }: JourneyDefinition, type: string): string {
  for (let count = 1; ; count++) {
    const id = count === 1 ? type : `${type}_${count}`
    if (!nodes[id]) return id
  }
}

export function targetAt({ start, nodes }: JourneyDefinition, { node, port }: Place): string | undefined {
  if (node === TRIGGER) return start
  const from = nodes[node]
  return from && portsOf(from).find((each) => each.port === port)?.target
}

function leadTo(
  definition: JourneyDefinition,
  { node, port }: Place,
  target: string | undefined,
): JourneyDefinition {
  if (node === TRIGGER) return target === undefined ? definition : { ...definition, start: target }
  const from = definition.nodes[node]
  if (!from) return definition
  return { ...definition, nodes: { ...definition.nodes, [node]: withTarget(from, port, target) } }
}

function redirect(node: JourneyNode, from: string, to: string | undefined): JourneyNode {
  return portsOf(node).reduce(
    (changed, { port, target }) => (target === from ? withTarget(changed, port, to) : changed),
    node,
  )
}

/** Drops what the trigger led to before and does not any more; what already stood apart stays. */
function withoutLost(after: JourneyDefinition, before: JourneyDefinition): JourneyDefinition {
  const was = reachedFrom(before.start, before.nodes)
  const is = reachedFrom(after.start, after.nodes)
  const kept = Object.entries(after.nodes).filter(([id]) => is.has(id) || !was.has(id))
  if (kept.length === Object.keys(after.nodes).length) return after
  const nodes = Object.fromEntries(kept)
  // What stood apart may have led to what is gone now.
  for (const [id, node] of kept)
    nodes[id] = portsOf(node).reduce(
      (each, { port, target }) =>
        target !== undefined && !nodes[target] ? withTarget(each, port, undefined) : each,
      node,
    )
  return { ...after, nodes }
}
