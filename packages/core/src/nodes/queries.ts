import { sql } from 'kysely'
import type { Db, Tx } from '../db/database.ts'
import { engineOf } from '../db/rows.ts'
import type { NodeRole } from './tables.ts'

export interface PluginOnNode {
  version: string
  state: 'ready' | 'off' | 'failed'
  /** Why it does not run there. */
  error?: { code: string; message: string }
}

/** A server process. */
export interface NodeView {
  id: string
  /** Name of its machine. */
  host: string
  role: NodeRole
  version: string
  pid: number
  startedAt: number
  seenAt: number
  /** Whether the database has heard of it lately. */
  alive: boolean
  /** Stages that only this node advances. */
  stages: string[]
  plugins: Record<string, PluginOnNode>
}

/** Milliseconds by the clock that all nodes see: the database's on PostgreSQL. */
export function sharedNow(db: Db | Tx) {
  return engineOf(db) === 'postgres'
    ? sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`
    : sql<number>`${Date.now()}`
}

/** Nodes that live or died today, oldest first, and the stages that each holds. */
export async function listNodes(db: Db): Promise<NodeView[]> {
  const rows = await db
    .selectFrom('nodes')
    .select(['id', 'host', 'role', 'version', 'pid', 'started_at', 'seen_at', 'dead_at', 'plugins'])
    .select(sharedNow(db).as('now'))
    .orderBy('started_at')
    .orderBy('id')
    .execute()
  const claims = await listStageClaims(db)
  return rows.map(({ id, host, role, version, pid, started_at, seen_at, dead_at, plugins, now }) => ({
    id,
    host,
    role,
    version,
    pid,
    startedAt: started_at,
    seenAt: seen_at,
    // SQLite's only server says it once.
    alive: engineOf(db) === 'sqlite' || dead_at > now,
    stages: claims.filter(({ nodeId }) => nodeId === id).map(({ stage }) => stage),
    plugins: JSON.parse(plugins) as Record<string, PluginOnNode>,
  }))
}

/** Which node each claimed stage is with, since when, and how often it changed hands. */
export async function listStageClaims(
  db: Db,
): Promise<{ stage: string; nodeId: string | null; since: number; changes: number }[]> {
  const rows = await db.selectFrom('stage_claims').selectAll().orderBy('stage').execute()
  return rows.map(({ stage, node_id, since, token }) => ({ stage, nodeId: node_id, since, changes: token }))
}
