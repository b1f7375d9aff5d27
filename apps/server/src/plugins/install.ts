import {
  findVersion,
  findWished,
  listOwnedColumns,
  listVersions,
  listWished,
  type PluginSource,
  type PluginVersion,
  transact,
  type WishedPlugin,
  writeVersion,
  writeWished,
} from '@huitou/core'
import { columnPrefix, pluginId, type ResolvedManifest, userError } from '@huitou/plugin-api'
import { checkPublisher, checkSignature, openArchive, type PluginArchive } from '@huitou/plugin-host/install'
import { adoptReplaced } from './adopt.ts'
import { shareArchive } from './archives.ts'
import { note, type PluginContext, readTrust, SYSTEM } from './plugin-context.ts'

/** Publishers of the plugins that come with Huitou: nobody else may use the name. */
const RESERVED = ['huitou']

export interface InstallRequest {
  source: PluginSource
  by: string | undefined
  acceptNewKey?: boolean | undefined
  /** What a registry said this is. */
  promised?: { name: string; version: string }
}

/**
 * Puts a version beside those that are there, without running any of it. A plugin that was not there is in the
 * wished set afterwards, disabled; of one that was, the version in force stays so.
 */
export async function installArchive(
  context: PluginContext,
  bytes: Uint8Array,
  request: InstallRequest,
): Promise<{ id: string; version: string; isNew: boolean }> {
  const { core, store } = context
  const { db } = core.database
  const by = request.by ?? SYSTEM
  const archive = await openArchive(bytes)
  checkPromise(archive, request.promised)
  const trust = await readTrust(context)
  const before = await findWished(db, archive.id)
  checkPublisher(
    { ...archive, signature: checkSignature(archive.files, trust) },
    {
      trust,
      reserved: RESERVED,
      installed: await signedBefore(context, before),
      acceptNewKey: request.acceptNewKey ?? false,
    },
  )
  checkId(context, archive.id)
  const staged = await store.stage(archive, { trust, source: sourceName(request.source) })
  try {
    await checkColumns(context, staged.manifest)
  } catch (error) {
    if (!(await findVersion(db, staged.id, staged.version))) await store.remove(staged.id, staged.version)
    throw error
  }
  const known = await findVersion(db, staged.id, staged.version)
  const version: PluginVersion = {
    pluginId: staged.id,
    version: staged.version,
    digest: staged.digest,
    signature: staged.signature,
    grants: known?.digest === staged.digest ? known.grants : null,
    allowed: known?.digest === staged.digest ? known.allowed : false,
    installedAt: core.clock.now(),
    installedBy: by,
  }
  const isNew = before?.state !== 'installed'
  const adopted = await transact(db, async (tx) => {
    await writeVersion(tx, version)
    await shareArchive(context, tx, { version, bytes })
    if (!isNew) return []
    // One that left data itself finds that.
    const { settings, from } = before
      ? { settings: before.settings, from: [] }
      : await adoptReplaced(tx, staged.manifest, { successor: version, now: core.clock.now() })
    const wished: WishedPlugin = {
      id: staged.id,
      version: staged.version,
      digest: staged.digest,
      source: request.source,
      state: 'installed',
      enabled: false,
      trusted: false,
      settings,
      fault: null,
      installedAt: core.clock.now(),
      installedBy: by,
    }
    await writeWished(tx, wished, core.clock.now())
    return from
  })
  await note(context, {
    by,
    action: 'install',
    subject: staged.id,
    details: { version: staged.version, source: request.source, signature: staged.signature.state, adopted },
  })
  return { id: staged.id, version: staged.version, isNew }
}

/** Throws `E_COLUMNS_TAKEN` when the plugin's columns would reach into those of another one, or the other way round. */
export async function checkColumns(context: PluginContext, manifest: ResolvedManifest): Promise<void> {
  const id = pluginId(manifest)
  const prefix = columnPrefix(manifest)
  const columns = await listOwnedColumns(context.core.database.db)
  const theirs = columns.find(({ name, owner }) => owner !== id && name.startsWith(`${prefix}_`))
  if (theirs) throw columnsTaken(id, theirs.name, theirs.owner)
  for (const other of await otherPrefixes(context, id)) {
    if (other.prefix === prefix) throw columnsTaken(id, `${prefix}_*`, other.id)
    const own = declaredColumns(manifest).find((name) => name.startsWith(`${other.prefix}_`))
    if (own && other.prefix.length > prefix.length) throw columnsTaken(id, own, other.id)
  }
}

function declaredColumns(manifest: ResolvedManifest): string[] {
  const { features = [], scorers = [], segmenters = [] } = manifest.contributes ?? {}
  const ids = [...features, ...scorers.flatMap(({ outputs }) => outputs), ...segmenters].map(({ id }) => id)
  return ids.map((id) => `${columnPrefix(manifest)}_${id}`)
}

async function otherPrefixes(
  { core, host }: PluginContext,
  id: string,
): Promise<{ id: string; prefix: string }[]> {
  const wished = await listWished(core.database.db)
  const ids = new Set([...host.list().map((plugin) => plugin.id), ...wished.map((plugin) => plugin.id)])
  return [...ids]
    .filter((other) => other !== id)
    .map((other) => ({ id: other, prefix: columnPrefix({ name: other.slice(other.indexOf('.') + 1) }) }))
}

function columnsTaken(id: string, column: string, owner: string): Error {
  return userError('E_COLUMNS_TAKEN', `"${id}" would own the columns ${column}, which belong to "${owner}"`, {
    status: 409,
    hint: `Its author must choose another name. If you are done with "${owner}", uninstall it and erase its data first.`,
    details: { id, column, owner },
  })
}

/** The signature that a plugin had last, also when only its data is left of it. */
async function signedBefore({ core }: PluginContext, wished: WishedPlugin | undefined) {
  if (wished?.version == null) return undefined
  const versions = await listVersions(core.database.db, wished.id)
  const last = versions.find(({ version }) => version === wished.version)
  if (!last || last.signature.state === 'bundled') return undefined
  const { state, publisher, keyId, publicKey } = last.signature
  return { version: last.version, signature: { state, publisher, keyId, publicKey } }
}

function checkId({ process }: PluginContext, id: string): void {
  if (!process.has(id)) return
  throw userError('E_PLUGIN_ID_TAKEN', `"${id}" is the id of a plugin that comes with this Huitou`, {
    status: 409,
    hint: 'Its author must choose another publisher or name.',
  })
}

function checkPromise(archive: PluginArchive, promised: InstallRequest['promised']): void {
  if (!promised || (promised.name === archive.name && promised.version === archive.version)) return
  throw userError(
    'E_NOT_WHAT_WAS_ASKED',
    `The registry gave ${archive.name} ${archive.version} for ${promised.name} ${promised.version}`,
    { status: 409, hint: 'Do not install it; tell whoever runs the registry.' },
  )
}

function sourceName(source: PluginSource): string {
  return source.kind === 'registry' ? source.registry : source.kind
}
