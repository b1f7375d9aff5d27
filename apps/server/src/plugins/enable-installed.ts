import {
  type ConsentOptions,
  findVersion,
  type PluginVersion,
  type UpgradeOptions,
  writeVersion,
} from '@huitou/core'
import { notFound, type Permissions, userError } from '@huitou/plugin-api'
import { readManifest } from '@huitou/plugin-host'
import { decideGrants } from './consent.ts'
import { note, type PluginContext, readTrust } from './plugin-context.ts'
import { checkVouched, getInstalled, type Installed, locate, signatureNow } from './wished-set.ts'

/** Enables the version in force of an installed plugin, once it is settled what it may do. */
export async function enableInstalled(
  context: PluginContext,
  id: string,
  { by, ...options }: ConsentOptions & { by: string | undefined },
): Promise<void> {
  const { host, broken } = context
  const installed = await getInstalled(context, id)
  const version = await decide(context, installed, { ...options, version: installed.wished.version })
  // Its files are looked at once more before any of it runs.
  const location = await locate(context, { version, wished: { ...installed.wished, enabled: true } })
  if (!host.list().some((plugin) => plugin.id === id)) await host.add({ ...location, enabled: false })
  host.setGrants(id, version.grants ?? {})
  await host.enable(id)
  broken.delete(id)
  const details = { version: version.version, grants: version.grants }
  await note(context, { by, action: 'grant', subject: id, details })
}

/** Settles what a version may do and whether somebody vouches for it, and writes that down. */
export async function decide(
  context: PluginContext,
  { wished, version: present }: Installed,
  { version: number, grants, allowUnsigned }: ConsentOptions & { version: string },
): Promise<PluginVersion> {
  const { core, store } = context
  const found = await findVersion(core.database.db, wished.id, number)
  if (!found) throw notFound('Plugin version', `${wished.id} ${number}`)
  const allowed = found.allowed || allowUnsigned === true
  await checkVouchedNow(context, { ...found, allowed })
  const asked = await askedBy(context, found, (await store.get(wished.id, number)).dir)
  const before = found.grants === null ? present : found
  const decided: PluginVersion = {
    ...found,
    allowed,
    grants: decideGrants({
      pluginId: wished.id,
      version: number,
      asked,
      decided: before.grants === null ? {} : await askedBy(context, before),
      granted: before.grants ?? {},
      says: grants,
    }),
  }
  await writeVersion(core.database.db, decided)
  return decided
}

/** Throws unless a publisher on the trust list of now signed the version, or somebody allowed it. */
export async function checkVouchedNow(context: PluginContext, version: PluginVersion): Promise<void> {
  checkVouched(version, signatureNow(version.signature, await readTrust(context)))
}

/** The version to upgrade to: one that is here, or where to get it. */
export async function findWanted(
  context: PluginContext,
  id: string,
  { registry, version }: UpgradeOptions,
): Promise<
  { version: string } | { download: { registry: string; name: string; version?: string | undefined } }
> {
  const { wished } = await getInstalled(context, id)
  const here = version && (await findVersion(context.core.database.db, id, version))
  if (here) return { version: here.version }
  const { source } = wished
  if (source.kind === 'registry')
    return { download: { registry: registry ?? source.registry, name: source.name, version } }
  throw userError('E_NO_REGISTRY', `"${id}" was installed from a file`, {
    status: 409,
    hint: 'Upload the new version, then name it here.',
  })
}

/** All that a version asks for; what it was asked about before when its files are gone. */
async function askedBy(
  { store }: PluginContext,
  { pluginId, version, grants }: PluginVersion,
  dir?: string,
): Promise<Permissions> {
  if (dir !== undefined) return (await readManifest(dir)).manifest.permissions ?? {}
  const stored = await store.find(pluginId, version)
  const loaded = stored && (await readManifest(stored.dir).catch(() => undefined))
  return loaded?.manifest.permissions ?? grants ?? {}
}
