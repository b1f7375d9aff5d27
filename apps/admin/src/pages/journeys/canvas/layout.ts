import { Graph, layout } from '@dagrejs/dagre'
import type { JourneyDefinition } from '@huitou/admin-kit/api/journeys.ts'
import { type Edge, edgeId, edgesOf, portsOf, TRIGGER } from '../model/ports.ts'

export interface Point {
  x: number
  y: number
}

export interface Box extends Point {
  width: number
  height: number
}

export interface DrawnEdge extends Edge {
  /** What it leads to on the drawing: a step, or the mark of an open end. */
  to: string
  /** Where it begins, turns and ends. */
  corners: Point[]
  path: string
  label: Point
}

export interface Drawing {
  /** Top left corners, by step; open ends stand under `open:<edge>`. */
  boxes: Map<string, Box>
  edges: DrawnEdge[]
}

export const STEP = { width: 208, height: 60 }
const END = { width: 116, height: 28 }
const OPEN = { width: 64, height: 24 }
const GAP = 60
const LABEL = { width: 84, height: 24 }
/** How far from the middle of a gap lines turn, so that labels stand on straight pieces. */
const TURN = 18
const RADIUS = 8
/** Level lines in one gap are this far from each other, and at most so far all together: a gap has room for no more. */
const LANE = 6
const LANES = 10

export const openEnd = (edge: string) => `open:${edge}`

/** Places every step below the one that leads to it and draws the ways between them. */
export function drawJourney(definition: JourneyDefinition): Drawing {
  const edges = edgesOf(definition).filter(({ target }) => target === undefined || definition.nodes[target])
  const graph = inOrder(definition, edges)
  const boxes = new Map<string, Box>()
  const rows = new Set<number>()
  for (const id of graph.nodes()) {
    const { x, y, width, height } = graph.node(id) as Box
    rows.add(Math.round(y))
    boxes.set(id, { x: x - width / 2, y: y - height / 2, width, height })
  }
  const lines = edges.map((edge) => lineOf(graph, edge, { boxes, rows }))
  spreadLevels(lines.map(({ corners }) => corners))
  return { boxes, edges: lines.map((line) => ({ ...line, path: roundedPath(line.corners) })) }
}

function placed(definition: JourneyDefinition, edges: readonly Edge[], constraints: SideBySide[]): Graph {
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ rankdir: 'TB', nodesep: 44, edgesep: 28, ranksep: GAP - LABEL.height })
  graph.setDefaultEdgeLabel(() => ({}))
  graph.setNode(TRIGGER, { ...STEP })
  for (const [id, node] of Object.entries(definition.nodes))
    graph.setNode(id, node.type === 'end' ? { ...END } : { ...STEP })
  for (const { id, node, target } of edges) {
    if (target === undefined) graph.setNode(openEnd(id), { ...OPEN })
    graph.setEdge(node, target ?? openEnd(id), { ...LABEL, labelpos: 'c' }, id)
  }
  layout(graph, { constraints })
  return graph
}

/** The layout knows no order among the ways out of a step: where it got one wrong, it is told and asked again. */
function inOrder(definition: JourneyDefinition, edges: readonly Edge[]): Graph {
  const first = placed(definition, edges, [])
  const sameRow = sideBySide(definition).filter(
    ({ left, right }) => first.node(left).y === first.node(right).y,
  )
  if (sameRow.every(({ left, right }) => first.node(left).x! < first.node(right).x!)) return first
  try {
    return placed(definition, edges, sameRow)
  } catch {
    // Orders that contradict each other leave it without an answer.
    return first
  }
}

interface SideBySide {
  left: string
  right: string
}

/** Ways out of one step stand in their order, where each leads to a step of its own. */
function sideBySide(definition: JourneyDefinition): SideBySide[] {
  return Object.entries(definition.nodes).flatMap(([id, node]) => {
    const ports = portsOf(node)
    if (ports.length < 2) return []
    const below = ports.map(({ port, target }) => target ?? openEnd(edgeId({ node: id, port })))
    const own = below.filter((each) => leadsTo(definition, each).size < 2)
    return own.slice(1).map((right, at) => ({ left: own[at]!, right }))
  })
}

/** Steps that lead to one. */
function leadsTo({ nodes }: JourneyDefinition, target: string): Set<string> {
  return new Set(
    Object.entries(nodes).flatMap(([id, node]) =>
      portsOf(node).some((port) => port.target === target) ? [id] : [],
    ),
  )
}

function lineOf(
  graph: Graph,
  edge: Edge,
  { boxes, rows }: { boxes: Map<string, Box>; rows: Set<number> },
): Omit<DrawnEdge, 'path'> {
  const to = edge.target ?? openEnd(edge.id)
  const found = graph.edge(edge.node, to, edge.id) as { points: Point[]; x: number; y: number }
  const from = boxes.get(edge.node)!
  const goal = boxes.get(to)!
  const short = found.points.length === 3
  const x = short ? labelPlace(graph, edge, found.x) : found.x
  const inner = short ? [{ x, y: found.y }] : found.points.slice(1, -1)
  const isDown = goal.y > from.y
  const first = isDown ? { x: from.x + from.width / 2, y: from.y + from.height } : found.points[0]!
  const last = isDown ? { x: goal.x + goal.width / 2, y: goal.y } : found.points.at(-1)!
  const corners = withTurns([first, ...inner, last], rows)
  return { ...edge, to, corners, label: { x, y: found.y } }
}

/** Right above a step that only one way leads to, or right below one that only has one. */
function labelPlace(graph: Graph, { node, target, id }: Edge, otherwise: number): number {
  const to = target ?? openEnd(id)
  if (graph.inEdges(to)?.length === 1) return graph.node(to).x!
  return graph.outEdges(node)?.length === 1 ? graph.node(node).x! : otherwise
}

/** The same points, joined by upright and level lines only; lines turn between the rows, not beside a step. */
function withTurns(points: Point[], rows: Set<number>): Point[] {
  const corners: Point[] = [points[0]!]
  for (let at = 1; at < points.length; at++) {
    const from = points[at - 1]!
    const to = points[at]!
    if (Math.abs(from.x - to.x) > 1) {
      const down = Math.sign(to.y - from.y) || 1
      const fromGap = at > 1 && !rows.has(Math.round(from.y))
      const toGap = at < points.length - 1 && !rows.has(Math.round(to.y))
      const y = fromGap ? from.y + down * TURN : toGap ? to.y - down * TURN : (from.y + to.y) / 2
      corners.push({ x: from.x, y }, { x: to.x, y })
    }
    corners.push(to)
  }
  return corners
}

/** A level piece of a line, between two of its corners. */
interface Level {
  start: Point
  end: Point
}

/**
 * Level pieces that would lie on each other are drawn apart, so that every line can be followed by eye. Those that come
 * from one place, or go to one, stay together.
 */
function spreadLevels(lines: readonly Point[][]): void {
  const levels = lines.flatMap((corners) =>
    corners.slice(1).flatMap((end, at): Level[] => {
      const start = corners[at]!
      return start.y === end.y && Math.abs(start.x - end.x) > 1 ? [{ start, end }] : []
    }),
  )
  for (const level of Map.groupBy(levels, ({ start }) => Math.round(start.y)).values()) {
    const lanes: Level[][] = []
    for (const piece of level) {
      const free = lanes.find((lane) => lane.every((other) => canShare(piece, other)))
      if (free) free.push(piece)
      else lanes.push([piece])
    }
    const apart = Math.min(LANE, LANES / Math.max(1, lanes.length - 1))
    for (const [at, lane] of lanes.entries())
      for (const { start, end } of lane) start.y = end.y = start.y + (at - (lanes.length - 1) / 2) * apart
  }
}

function canShare(one: Level, other: Level): boolean {
  const [left, right] = [one, other].map(({ start, end }) => [start.x, end.x].sort((a, b) => a - b))
  const apart = left![1]! < right![0]! || right![1]! < left![0]!
  return apart || Math.abs(one.start.x - other.start.x) <= 1 || Math.abs(one.end.x - other.end.x) <= 1
}

function roundedPath(points: Point[]): string {
  const corners = points.filter((point, at) => {
    const before = points[at - 1]
    return !before || Math.hypot(point.x - before.x, point.y - before.y) > 0.5
  })
  let path = `M ${text(corners[0]!)}`
  for (let at = 1; at < corners.length - 1; at++) {
    const [before, corner, after] = [corners[at - 1]!, corners[at]!, corners[at + 1]!]
    const inward = towards(corner, before)
    const outward = towards(corner, after)
    path += ` L ${text(inward)} Q ${text(corner)} ${text(outward)}`
  }
  return `${path} L ${text(corners.at(-1)!)}`
}

function towards(corner: Point, other: Point): Point {
  const length = Math.hypot(other.x - corner.x, other.y - corner.y)
  const share = Math.min(RADIUS, length / 2) / (length || 1)
  return { x: corner.x + (other.x - corner.x) * share, y: corner.y + (other.y - corner.y) * share }
}

const text = ({ x, y }: Point) => `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`
