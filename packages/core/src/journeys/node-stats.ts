import type { Db } from '../db/database.ts'
import { getJourney } from './queries.ts'

export interface NodeStats {
  node: string
  /** Who ever came here: waiting, done and left together. */
  entered: number
  /** Who stands here now. */
  waiting: number
  /** Who went on from here. */
  done: number
  /** Who left the journey from here, by an exit, a goal or by hand. */
  left: number
  /** What each who went on did here. */
  outcomes: Record<string, number>
  /** What became of the messages and actions of this step, by state. */
  deliveries: Record<string, number>
}

/**
 * What happened at every step, of one version or of all; `$entry`, `$goal` and `$exit` are the doors. Trials are not
 * counted.
 */
export async function journeyStats(
  db: Db,
  id: string,
  { version }: { version?: number | undefined } = {},
): Promise<NodeStats[]> {
  await getJourney(db, id)
  const stats = new Map<string, NodeStats>()
  const at = (node: string) => {
    const known = stats.get(node) ?? {
      node,
      entered: 0,
      waiting: 0,
      done: 0,
      left: 0,
      outcomes: {},
      deliveries: {},
    }
    stats.set(node, known)
    return known
  }
  for (const { node, outcome, count } of await readSteps(db, id, version)) {
    const stat = at(node)
    stat.outcomes[outcome] = Number(count)
    stat.done += Number(count)
  }
  for (const { node, ended, count } of await readStanding(db, id, version))
    at(node)[ended === 1 ? 'left' : 'waiting'] += Number(count)
  if (version === undefined)
    for (const { node, state, count } of await readDeliveries(db, id))
      if (node !== null) at(node).deliveries[state] = Number(count)
  for (const stat of stats.values()) stat.entered = stat.waiting + stat.done + stat.left
  return [...stats.values()].toSorted((a, b) => (a.node < b.node ? -1 : 1))
}

async function readSteps(db: Db, id: string, version: number | undefined) {
  return await db
    .selectFrom('journey_stats')
    .select(['node', 'outcome', (row) => row.fn.sum<number>('count').as('count')])
    .where('journey_id', '=', id)
    .where('version', '>', 0)
    .$if(version !== undefined, (query) => query.where('version', '=', version as number))
    .groupBy(['node', 'outcome'])
    .execute()
}

/** Those who wait somewhere, and those who left from there without having finished the step. */
async function readStanding(db: Db, id: string, version: number | undefined) {
  const query = db
    .selectFrom('enrolments')
    .select(['node', (row) => row.fn.countAll<number>().as('count')])
    .where('journey_id', '=', id)
    .where('version', '>', 0)
    .$if(version !== undefined, (rows) => rows.where('version', '=', version as number))
    .groupBy('node')
  const waiting = await query.where('ended_at', 'is', null).execute()
  const left = await query.where('state', 'in', ['exited', 'failed']).where('arm', '=', 'treated').execute()
  return [...waiting.map((row) => ({ ...row, ended: 0 })), ...left.map((row) => ({ ...row, ended: 1 }))]
}

async function readDeliveries(db: Db, id: string) {
  return await db
    .selectFrom('deliveries')
    .select(['node', 'state', (row) => row.fn.countAll<number>().as('count')])
    .where('journey_id', '=', id)
    .where('purpose', '!=', 'test')
    .groupBy(['node', 'state'])
    .execute()
}
