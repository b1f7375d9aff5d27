import type { PermissionName } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { Db } from '../db/database.ts'
import { audit } from '../people/audit.ts'

/** What of its permissions a plugin makes use of. */
export interface PermissionUse {
  pluginId: string
  version: string
  permission: PermissionName
}

/** When it made use of one first. */
export interface UsedPermission extends PermissionUse {
  at: number
}

/** First uses of permissions, of one plugin or of all. */
export async function listPermissionUses(db: Db, pluginId?: string): Promise<UsedPermission[]> {
  const rows = await db
    .selectFrom('plugin_permission_uses')
    .selectAll()
    .$if(pluginId !== undefined, (query) => query.where('plugin_id', '=', pluginId!))
    .orderBy('used_at')
    .execute()
  return rows.map(({ plugin_id, version, permission, used_at }) => ({
    pluginId: plugin_id,
    version,
    permission: permission as PermissionName,
    at: used_at,
  }))
}

/** Writes the first use of each permission by each version of a plugin into the audit log. */
export class PermissionUses {
  readonly #context: Pick<CoreContext, 'database' | 'clock' | 'log'>
  /** What is written already, or being written. */
  readonly #known = new Set<string>()

  constructor(context: Pick<CoreContext, 'database' | 'clock' | 'log'>) {
    this.#context = context
  }

  /** Returns at once; what cannot be written is tried again at the next use. */
  note(use: PermissionUse): void {
    const key = JSON.stringify(use)
    if (this.#known.has(key)) return
    this.#known.add(key)
    this.#write(use).catch((error: unknown) => {
      this.#known.delete(key)
      this.#context.log.warn(
        { ...use, reason: error instanceof Error ? error.message : String(error) },
        'The use of a permission could not be written down',
      )
    })
  }

  async #write({ pluginId, version, permission }: PermissionUse): Promise<void> {
    const { database, clock } = this.#context
    const added = await database.db
      .insertInto('plugin_permission_uses')
      .values({ plugin_id: pluginId, version, permission, used_at: clock.now() })
      .onConflict((conflict) => conflict.doNothing())
      .returning('permission')
      .execute()
    if (added.length === 0) return
    await audit(database.db, clock, {
      userId: `plugin:${pluginId}`,
      action: 'plugin.permission',
      subject: pluginId,
      details: { permission, version },
    })
  }
}
