import {
  compareRehearsals,
  createPoints,
  findVersion,
  type JobContext,
  type PluginDrift,
  type PluginVersion,
  rehearseScores,
} from '@huitou/core'
import { notFound, type Permissions, userError } from '@huitou/plugin-api'
import { createPluginHost, type Effects, type PluginHost, readManifest } from '@huitou/plugin-host'
import { addContributions } from './connect-plugins.ts'
import { intersection } from './consent.ts'
import { type PluginContext, readTrust } from './plugin-context.ts'
import { schemaOf } from './plugin-view.ts'
import { migrateSettings, openSettings } from './stored-settings.ts'
import { checkVouched, getInstalled, type Installed, signatureNow, toPluginError } from './wished-set.ts'

/** Effects that change nothing here. Whatever else a candidate asks for is answered with nothing. */
const READS = new Set([
  'customers.read',
  'customers.aggregate',
  'customers.find',
  'events.perCustomer',
  'events.series',
  'events.query',
  'db.query',
  'storage.get',
  'storage.list',
  'secrets.get',
  'collections.find',
  'collections.get',
  'collections.count',
  'extensions.list',
  'fetch',
  'log',
  'progress',
])

export function defineShadowJob(context: PluginContext, effects: Effects): void {
  context.core.jobs.define('plugins.shadow', async ({ job, signal, progress }) => {
    const candidate = job.payload as Pick<Shadow, 'pluginId' | 'version' | 'allowed'>
    const drift = await runShadow(context, { ...candidate, effects, signal, progress })
    context.live.announce('plugins')
    return { columns: drift.columns.length, customers: drift.customers }
  })
}

/** Throws unless a version can be run beside the one in force. */
export async function getCandidate(
  context: PluginContext,
  id: string,
  version: string,
): Promise<{ installed: Installed; candidate: PluginVersion }> {
  const installed = await getInstalled(context, id)
  const candidate = await findVersion(context.core.database.db, id, version)
  if (!candidate) throw notFound('Plugin version', `${id} ${version}`)
  if (!installed.wished.enabled || context.broken.has(id)) {
    throw userError('E_PLUGIN_DISABLED', `"${id}" is not running, so there is nothing to compare with`, {
      status: 409,
      hint: 'Enable it first.',
    })
  }
  return { installed, candidate }
}

interface Shadow extends Pick<JobContext, 'signal' | 'progress'> {
  pluginId: string
  version: string
  /** It may run here although nobody vouches for it. */
  allowed: boolean
  effects: Effects
}

/** Runs the scorers of two versions on the same customers, writes nothing of theirs, and keeps how they differ. */
async function runShadow(
  context: PluginContext,
  { pluginId, version, allowed, effects, signal, progress }: Shadow,
): Promise<PluginDrift> {
  const { core } = context
  const found = await getCandidate(context, pluginId, version)
  if (allowed) found.candidate.allowed = true
  await using host = await openCandidate(context, found, effects)
  const points = createPoints()
  for (const plugin of host.contributions()) {
    if (plugin.pluginId === pluginId) for (const _undo of addContributions({ points }, host, plugin)) continue
  }
  const onProgress = (offset: number) => (done: number, total: number) =>
    progress({ done: offset + done, total: 2 * total, unit: 'scorers' })
  const before = await rehearseScores(core, core.points, {
    owner: pluginId,
    signal,
    onProgress: onProgress(0),
  })
  const after = await rehearseScores(core, points, {
    owner: pluginId,
    signal,
    onProgress: onProgress(before.outputs.size),
  })
  signal.throwIfAborted()
  const drift: PluginDrift = {
    version,
    against: found.installed.version.version,
    at: core.clock.now(),
    customers: after.ids.length,
    columns: compareRehearsals(before, after),
    problems: [...before.problems, ...after.problems].map(({ id, error }) => ({
      id,
      message: toPluginError(error).message,
    })),
  }
  await storeDrift(context, pluginId, drift)
  return drift
}

/** A host for the candidate alone, with what it depends on; it has what was granted so far and no more. */
async function openCandidate(
  { core, host, store, box }: PluginContext,
  { installed, candidate }: { installed: Installed; candidate: PluginVersion },
  effects: Effects,
): Promise<PluginHost> {
  const { wished, version } = installed
  checkVouched(candidate, signatureNow(candidate.signature, await readTrust({ core })))
  const { dir } = await store.get(wished.id, candidate.version)
  const { manifest, resolveSettings } = await readManifest(dir)
  const from = host.getPlugin(wished.id).manifest
  const { settings } = migrateSettings(openSettings(wished.settings, box), {
    from: schemaOf(from),
    to: schemaOf(manifest),
    accepts: resolveSettings,
  })
  const grants = candidate.grants ?? intersection(version.grants ?? {}, manifest.permissions ?? {})
  const others = dependenciesOf(host, manifest.pluginDependencies ?? [])
  const brand = await core.brand()
  const readOnly: Effects = (pluginId, method, args, effectContext) =>
    READS.has(method) ? effects(pluginId, method, args, effectContext) : undefined
  const locations = [
    { dir, trusted: wished.trusted, enabled: true, settings, grants: grants as Permissions },
    ...others.map(({ dir: folder, trusted, settings: theirs, grants: given }) => ({
      dir: folder,
      trusted,
      enabled: true,
      settings: theirs,
      grants: given,
    })),
  ]
  return await createPluginHost({
    plugins: locations,
    effects: readOnly,
    brand: { currency: brand.currency, timeZone: brand.timeZone, locale: brand.locale },
    clock: core.clock,
  })
}

function dependenciesOf(host: PluginHost, ids: readonly string[]) {
  const all = new Map(host.list().map((plugin) => [plugin.id, plugin]))
  const found = new Map<string, ReturnType<PluginHost['getPlugin']>>()
  const visit = (id: string) => {
    const plugin = all.get(id)
    if (!plugin || found.has(id)) return
    found.set(id, plugin)
    plugin.manifest.pluginDependencies?.forEach(visit)
  }
  ids.forEach(visit)
  return [...found.values()]
}

async function storeDrift({ core }: PluginContext, id: string, drift: PluginDrift): Promise<void> {
  const { version, against, at } = drift
  const row = { plugin_id: id, version, against, at, drift: JSON.stringify(drift) }
  await core.database.db
    .insertInto('plugin_drifts')
    .values(row)
    .onConflict((conflict) => conflict.column('plugin_id').doUpdateSet(row))
    .execute()
}

export async function findDrift({ core }: PluginContext, id: string): Promise<PluginDrift | null> {
  const row = await core.database.db
    .selectFrom('plugin_drifts')
    .select('drift')
    .where('plugin_id', '=', id)
    .executeTakeFirst()
  return row ? (JSON.parse(row.drift) as PluginDrift) : null
}
