import { hostname } from 'node:os'
import {
  beginUpgrade,
  type Core,
  findLastUpgrade,
  listTrials,
  type PluginFault,
  type PluginUpgrade,
  type PluginVersion,
  settleUpgrade,
  transact,
  type Tx,
  writeWished,
} from '@huitou/core'
import { type AppError, type ResolvedManifest, userError } from '@huitou/plugin-api'
import { type LoadedManifest, readManifest } from '@huitou/plugin-host'
import { dryRun } from './dry-run.ts'
import { note, type PluginContext, SYSTEM } from './plugin-context.ts'
import { schemaOf } from './plugin-view.ts'
import { migrateSettings, openSettings, sealSettings, type Settings } from './stored-settings.ts'
import { getInstalled, type Installed, locate, toPluginError } from './wished-set.ts'

/** Something that changes with a plugin's version and can be put back: it takes part in the upgrade's transaction. */
export interface UpgradePart {
  readonly name: string
  snapshot(tx: Tx, pluginId: string): Promise<unknown>
  apply(tx: Tx, pluginId: string, manifest: ResolvedManifest): Promise<void>
  restore(tx: Tx, pluginId: string, snapshot: unknown): Promise<void>
}

/** For so long after an upgrade a quarantine takes it back. */
const WATCH_MS = 600_000
/** A trial takes half a minute at most; after this nobody is at it any more. */
export const TRIAL_MS = 120_000

export interface UpgradeRequest {
  by: string | undefined
  /** Settings to begin from, as stored, instead of those in force. */
  settings?: Settings | undefined
}

/**
 * Puts another version in force: settings, collections and the wished row change in one transaction, then the new
 * version must start and pass its probes. When it does not, all of that is put back, and `E_UPGRADE_ROLLED_BACK`
 * says why. A process that dies in between leaves a trial, which the next start takes back.
 */
export async function upgradeTo(
  context: PluginContext,
  { wished, version: from }: Installed,
  target: PluginVersion,
  { by = SYSTEM, settings = wished.settings }: UpgradeRequest,
): Promise<void> {
  const { core, host, box } = context
  const loaded = await readManifest((await context.store.get(wished.id, target.version)).dir)
  const migrated = migrateSettings(openSettings(settings, box), {
    from: await findSchema(context, from),
    to: schemaOf(loaded.manifest),
    accepts: loaded.resolveSettings,
  })
  const after: Installed = {
    wished: {
      ...wished,
      version: target.version,
      digest: target.digest,
      settings: sealSettings(migrated.settings, schemaOf(loaded.manifest), box),
      fault: null,
    },
    version: target,
  }
  const location = await locate(context, after)
  const dropped = Object.fromEntries(Object.keys(migrated.dropped).map((name) => [name, settings[name]]))
  const id = await begin(context, { before: wished, after, dropped, loaded, by })
  try {
    const grants = location.grants ?? {}
    // Of a version whose files are gone there is nothing to stand beside.
    if (!host.list().some((plugin) => plugin.id === wished.id)) await host.add(location)
    else
      await host.replace(wished.id, location, {
        probe: (candidate) => dryRun(core, loaded, { candidate, grants }),
      })
    if (!(await settleUpgrade(core.database.db, id, { state: 'done', now: core.clock.now() })))
      throw userError('E_UPGRADE_INTERRUPTED', 'Another node took the upgrade back', { status: 409 })
  } catch (error) {
    throw await takeBackTrial(context, { pluginId: wished.id, id, by, error })
  }
  context.broken.delete(wished.id)
  await note(context, {
    by,
    action: 'upgrade',
    subject: wished.id,
    details: {
      from: from.version,
      to: target.version,
      grants: target.grants,
      droppedSettings: Object.keys(dropped),
    },
  })
}

interface Beginning {
  before: Installed['wished']
  after: Installed
  dropped: Settings
  loaded: LoadedManifest
  by: string
}

async function begin(
  { core, parts }: PluginContext,
  { before, after, dropped, loaded, by }: Beginning,
): Promise<number> {
  const now = core.clock.now()
  return await transact(core.database.db, async (tx) => {
    const snapshots: [string, unknown][] = []
    for (const part of parts) snapshots.push([part.name, await part.snapshot(tx, before.id)])
    await writeWished(tx, after.wished, now)
    for (const part of parts) await part.apply(tx, before.id, loaded.manifest)
    return await beginUpgrade(tx, {
      pluginId: before.id,
      from: before.version,
      to: after.version.version,
      snapshot: {
        wished: before,
        dropped,
        parts: Object.fromEntries(snapshots),
        triedBy: { host: hostname(), pid: process.pid },
      },
      startedAt: now,
      startedBy: by,
    })
  })
}

/** Takes a trial back that failed. Returns the error to tell. */
async function takeBackTrial(
  context: PluginContext,
  { pluginId, id, by, error }: { pluginId: string; id: number; by: string; error: unknown },
): Promise<AppError> {
  const { core } = context
  const reason = { ...toPluginError(error), at: core.clock.now() }
  const upgrade = await findLastUpgrade(core.database.db, pluginId)
  const [from, to] = [upgrade?.from, upgrade?.to]
  if (upgrade?.id === id) await takeBack(context, upgrade, reason)
  await note(context, { by, action: 'upgrade.failed', subject: pluginId, details: { from, to, reason } })
  return userError(
    'E_UPGRADE_ROLLED_BACK',
    `"${pluginId}" ${to} did not start: ${reason.message}. ${from} is in force again`,
    {
      status: 409,
      hint: 'Tell its author what is written here. Nothing of yours was changed.',
      details: { from, to, reason },
      cause: error,
    },
  )
}

/** Takes the last upgrade of a plugin back while it is young. Returns whether there was one. */
export async function takeBackYoungUpgrade(
  context: PluginContext,
  pluginId: string,
  error: { code?: string | undefined; message: string },
): Promise<boolean> {
  const { core } = context
  const upgrade = await findLastUpgrade(core.database.db, pluginId)
  if (upgrade?.state !== 'done' || (upgrade.settledAt ?? 0) < core.clock.now() - WATCH_MS) return false
  const { code = 'E_PLUGIN_QUARANTINED', message } = error
  const reason = { code, message, at: core.clock.now() }
  if (!(await takeBack(context, upgrade, reason))) return false
  const details = { from: upgrade.to, to: upgrade.from, reason }
  await note(context, { by: SYSTEM, action: 'rollback', subject: pluginId, details })
  return true
}

/** Settings to go back to `version` with: those of then where the present ones have no place. */
export async function settingsFor(
  { core }: PluginContext,
  { wished }: Installed,
  version: string,
): Promise<Settings> {
  const upgrade = await findLastUpgrade(core.database.db, wished.id)
  if (upgrade?.from !== version || upgrade.to !== wished.version) return wished.settings
  return { ...upgrade.snapshot.dropped, ...wished.settings }
}

/**
 * Settles the trials that a process left behind when it died: all that their upgrades changed is put back. For the
 * start of a server, before plugins are located. Those that another process may be at are left to it.
 */
export async function settleTrials(
  core: Core,
  parts: readonly UpgradePart[],
): Promise<{ settled: PluginUpgrade[]; left: PluginUpgrade[] }> {
  const trials = await listTrials(core.database.db)
  const [left, settled] = [trials.filter((trial) => mayGoOn(core, trial)), [] as PluginUpgrade[]]
  for (const trial of trials) {
    if (left.includes(trial)) continue
    if (await putBack(core, parts, trial, interruption(core, trial))) settled.push(trial)
  }
  return { settled, left }
}

/** The same while plugins run. */
export async function settleAbandonedTrials(context: PluginContext): Promise<void> {
  const { core } = context
  for (const trial of await listTrials(core.database.db))
    if (!mayGoOn(core, trial)) await takeBack(context, trial, interruption(core, trial))
}

function mayGoOn({ clock }: Core, { startedAt, snapshot }: PluginUpgrade): boolean {
  const { host, pid } = snapshot.triedBy
  if (startedAt < clock.now() - TRIAL_MS) return false
  if (host !== hostname()) return true
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function interruption({ clock }: Core, { to }: PluginUpgrade): PluginFault {
  const message = `The server ended while ${to} was tried`
  return { code: 'E_UPGRADE_INTERRUPTED', message, at: clock.now() }
}

/** Database first, then the code: a process that dies in between starts with the old version. */
async function takeBack(
  context: PluginContext,
  upgrade: PluginUpgrade,
  reason: PluginFault,
): Promise<boolean> {
  const { core, host, parts, store } = context
  if (!(await putBack(core, parts, upgrade, reason))) return false
  const installed = await getInstalled(context, upgrade.pluginId)
  try {
    const location = await locate(context, installed)
    const runs = host.list().find(({ id }) => id === upgrade.pluginId)
    const { dir } = await store.get(upgrade.pluginId, upgrade.from)
    if (!runs) await host.add(location)
    else if (runs.dir !== dir || runs.state === 'quarantined' || runs.state === 'failed')
      await host.replace(upgrade.pluginId, location)
  } catch (error) {
    context.broken.set(upgrade.pluginId, { error: toPluginError(error), manifest: undefined })
  }
  return true
}

async function putBack(
  core: Core,
  parts: readonly UpgradePart[],
  upgrade: PluginUpgrade,
  reason: PluginFault,
): Promise<boolean> {
  const now = core.clock.now()
  return await transact(core.database.db, async (tx) => {
    if (!(await settleUpgrade(tx, upgrade.id, { state: 'rolled_back', reason, now }))) return false
    for (const part of parts.toReversed())
      await part.restore(tx, upgrade.pluginId, upgrade.snapshot.parts[part.name])
    await writeWished(tx, { ...upgrade.snapshot.wished, fault: reason }, now)
    return true
  })
}

async function findSchema({ store }: PluginContext, { pluginId, version }: PluginVersion) {
  const stored = await store.find(pluginId, version)
  const loaded = stored && (await readManifest(stored.dir).catch(() => undefined))
  return loaded && schemaOf(loaded.manifest)
}
