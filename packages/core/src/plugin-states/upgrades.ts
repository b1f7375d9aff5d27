import type { Db, Tx } from '../db/database.ts'
import type { PluginFault, WishedPlugin } from './queries.ts'
import type { PluginStateTables } from './tables.ts'

/** All that an upgrade changed and that taking it back restores. */
export interface UpgradeSnapshot {
  wished: WishedPlugin
  /** Settings that the new version has no place for, sealed as stored. */
  dropped: Record<string, unknown>
  /** What else an upgrade changes, each in the form of whoever keeps it. */
  parts: Record<string, unknown>
  /** The process that tries the new version. */
  triedBy: { host: string; pid: number }
}

export interface PluginUpgrade {
  id: number
  pluginId: string
  from: string
  to: string
  state: 'trial' | 'done' | 'rolled_back'
  snapshot: UpgradeSnapshot
  reason: PluginFault | null
  startedAt: number
  startedBy: string
  settledAt: number | null
}

export interface NewUpgrade {
  pluginId: string
  from: string
  to: string
  snapshot: UpgradeSnapshot
  startedAt: number
  startedBy: string
}

/** Notes an upgrade whose new version is about to be tried. Returns its id. */
export async function beginUpgrade(tx: Tx, upgrade: NewUpgrade): Promise<number> {
  const { id } = await tx
    .insertInto('plugin_upgrades')
    .values({
      plugin_id: upgrade.pluginId,
      from_version: upgrade.from,
      to_version: upgrade.to,
      state: 'trial',
      snapshot: JSON.stringify(upgrade.snapshot),
      reason: null,
      started_at: upgrade.startedAt,
      started_by: upgrade.startedBy,
      settled_at: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

/** Notes how it ended. Returns false when somebody else had settled it already. */
export async function settleUpgrade(
  db: Db | Tx,
  id: number,
  { state, reason = null, now }: { state: 'done' | 'rolled_back'; reason?: PluginFault | null; now: number },
): Promise<boolean> {
  const result = await db
    .updateTable('plugin_upgrades')
    .set({ state, reason: reason && JSON.stringify(reason), settled_at: now })
    .where('id', '=', id)
    .where('state', '!=', 'rolled_back')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Upgrades that nobody finished: the process that tried them ended. */
export async function listTrials(db: Db | Tx): Promise<PluginUpgrade[]> {
  const rows = await db
    .selectFrom('plugin_upgrades')
    .selectAll()
    .where('state', '=', 'trial')
    .orderBy('id', 'desc')
    .execute()
  return rows.map(toUpgrade)
}

/** The last upgrade of a plugin that still stands. */
export async function findLastUpgrade(db: Db | Tx, pluginId: string): Promise<PluginUpgrade | undefined> {
  const row = await db
    .selectFrom('plugin_upgrades')
    .selectAll()
    .where('plugin_id', '=', pluginId)
    .where('state', '!=', 'rolled_back')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && toUpgrade(row)
}

type Row = Omit<PluginStateTables['plugin_upgrades'], 'id'> & { id: number }

function toUpgrade(row: Row): PluginUpgrade {
  return {
    id: row.id,
    pluginId: row.plugin_id,
    from: row.from_version,
    to: row.to_version,
    state: row.state,
    snapshot: JSON.parse(row.snapshot) as UpgradeSnapshot,
    reason: row.reason === null ? null : (JSON.parse(row.reason) as PluginFault),
    startedAt: row.started_at,
    startedBy: row.started_by,
    settledAt: row.settled_at,
  }
}
