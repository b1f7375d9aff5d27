import { userError } from '@huitou/plugin-api'
import {
  isWaiting,
  type JourneyDefinition,
  journeyDefinitionSchema,
  type JourneyNode,
  targetsOf,
} from './definition.ts'

/** A mistake in a journey: where, and a word that says which. */
export interface JourneyMistake {
  code:
    | 'malformed'
    | 'unknown_node'
    | 'unreachable'
    | 'loop_without_wait'
    | 'missing_variable'
    | 'bad_content'
    | 'unknown_template'
    | 'unknown_column'
    | 'unknown_segment'
    | 'unknown_channel'
    | 'unknown_action'
    | 'unknown_condition'
    | 'unknown_step'
    | 'bad_rule'
    | 'bad_schedule'
    | 'no_case'
  path: string
  message: string
  /** Line of the text that it stands in. */
  line?: number
}

/** Reads a definition from anywhere. Says where it is malformed (`E_JOURNEY`). */
export function parseDefinition(input: unknown): JourneyDefinition {
  const result = journeyDefinitionSchema.safeParse(input)
  if (result.success) return result.data
  const mistakes = result.error.issues.map(({ path, message }): JourneyMistake => ({
    code: 'malformed',
    path: path.join('.'),
    message,
  }))
  throw mistaken(mistakes)
}

export function mistaken(mistakes: JourneyMistake[]): Error {
  const [first] = mistakes
  return userError('E_JOURNEY', `${first?.path ? `${first.path}: ` : ''}${first?.message ?? 'malformed'}`, {
    hint: 'Correct the named places; a draft may be saved as it is, but not published.',
    details: { mistakes },
  })
}

/** Steps that are not there, that nothing leads to, or that go round for ever. */
export function checkGraph({ start, nodes }: JourneyDefinition): JourneyMistake[] {
  const mistakes: JourneyMistake[] = []
  const unknown = (path: string, id: string) =>
    mistakes.push({ code: 'unknown_node', path, message: `There is no step "${id}"` })
  if (!nodes[start]) unknown('start', start)
  for (const [id, node] of Object.entries(nodes))
    for (const target of targetsOf(node)) if (!nodes[target]) unknown(`nodes.${id}`, target)
  const reached = new Set<string>()
  const open = [start]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const node = nodes[id]
    if (!node || reached.has(id)) continue
    reached.add(id)
    open.push(...targetsOf(node))
  }
  for (const id of Object.keys(nodes))
    if (!reached.has(id))
      mistakes.push({ code: 'unreachable', path: `nodes.${id}`, message: `Nothing leads to step "${id}"` })
  const loop = findLoop(nodes)
  if (loop)
    mistakes.push({
      code: 'loop_without_wait',
      path: `nodes.${loop[0]}`,
      message: `The steps ${loop.join(' → ')} go round without ever waiting`,
    })
  return mistakes
}

/** A way from a step back to itself on which no time passes. Without recursion: a journey may be long. */
function findLoop(nodes: Record<string, JourneyNode>): string[] | undefined {
  const done = new Set<string>()
  for (const first of Object.keys(nodes)) {
    const path: { id: string; targets: string[] }[] = []
    const enter = (id: string) => {
      const node = nodes[id]
      if (node && !isWaiting(node)) path.push({ id, targets: targetsOf(node) })
    }
    if (!done.has(first)) enter(first)
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const target = top.targets.pop()
      if (target === undefined) {
        done.add(top.id)
        path.pop()
        continue
      }
      const at = path.findIndex(({ id }) => id === target)
      if (at >= 0) return [...path.slice(at).map(({ id }) => id), target]
      if (!done.has(target)) enter(target)
    }
  }
  return undefined
}
