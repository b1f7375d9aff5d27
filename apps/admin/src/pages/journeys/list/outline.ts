import type { JourneyDefinition } from '@huitou/admin-kit/api/journeys.ts'
import { type Place, portsOf, reachedFrom, TRIGGER } from '../model/ports.ts'

/** A line of the list: a step, where a way ends, where it leads back to, or the steps that nothing leads to. */
export interface OutlineRow {
  key: string
  kind: 'step' | 'open' | 'seen' | 'apart'
  depth: number
  id?: string
  /** The way that this line stands at. */
  place?: Place
  /** Where a step is added right behind this one; a step with several ways has a line for each. */
  after?: Place
}

/** Steps in reading order. What several ways lead to stands where the last of them is read, as people would tell it. */
export function outline({ start, nodes }: JourneyDefinition): OutlineRow[] {
  const rows: OutlineRow[] = []
  const written = new Set<string>()

  function write(id: string, depth: number, place: Place, join: string | undefined): void {
    const node = nodes[id]
    if (!node || written.has(id) || id === join) {
      rows.push({ key: `${place.node}:${place.port}>`, kind: 'seen', depth, id, place })
      return
    }
    written.add(id)
    const ports = portsOf(node)
    const single = ports.length === 1 ? { node: id, port: ports[0]!.port } : undefined
    rows.push({ key: id, kind: 'step', depth, id, place, ...(single ? { after: single } : {}) })
    if (single) return follow(ports[0]!.target, depth, single, join)
    if (ports.length === 0) return
    const meeting = meetingPoint(
      nodes,
      ports.map(({ target }) => target),
    )
    for (const { port, target } of ports) {
      const way = { node: id, port }
      if (target !== undefined && target === meeting)
        rows.push({ key: `${id}:${port}>`, kind: 'seen', depth: depth + 1, id: target, place: way })
      else follow(target, depth + 1, way, meeting ?? join)
    }
    if (meeting !== undefined && meeting !== join && !written.has(meeting))
      write(meeting, depth, { node: '', port: '' }, join)
  }

  function follow(target: string | undefined, depth: number, place: Place, join: string | undefined): void {
    if (target === undefined) rows.push({ key: `${place.node}:${place.port}.`, kind: 'open', depth, place })
    else if (target !== join) write(target, depth, place, join)
  }

  rows.push({ key: TRIGGER, kind: 'step', depth: 0, id: TRIGGER, after: { node: TRIGGER, port: 'next' } })
  write(start, 0, { node: TRIGGER, port: 'next' }, undefined)
  const apart = Object.keys(nodes).filter((id) => !written.has(id))
  if (apart.length > 0) rows.push({ key: '$apart', kind: 'apart', depth: 0 })
  for (const id of apart) if (!written.has(id)) write(id, 1, { node: '', port: id }, undefined)
  return rows.map((row) => (row.place && row.place.node === '' ? without(row) : row))
}

function without({ place: _, ...row }: OutlineRow): OutlineRow {
  return row
}

/** The first step that all these ways come to; undefined where they never meet. */
function meetingPoint(
  nodes: JourneyDefinition['nodes'],
  targets: (string | undefined)[],
): string | undefined {
  const ways = targets.filter((target) => target !== undefined)
  if (ways.length < 2) return undefined
  const [first, ...others] = ways.map((target) => [...reachedFrom(target, nodes)])
  return first!.find((id) => others.every((way) => way.includes(id)))
}
