import {
  findVersion,
  findWished,
  listVersions,
  listWished,
  type PluginError,
  type PluginSignature,
  type PluginVersion,
  type WishedPlugin,
} from '@huitou/core'
import { AppError, notFound, userError } from '@huitou/plugin-api'
import { type PluginLocation, readManifest } from '@huitou/plugin-host'
import type { TrustedKey } from '@huitou/plugin-host/install'
import { type PluginContext, readTrust } from './plugin-context.ts'
import { openSettings } from './stored-settings.ts'

/** A plugin that was installed here, in the version in force. */
export interface Installed {
  wished: WishedPlugin & { version: string }
  version: PluginVersion
}

type Reads = Pick<PluginContext, 'core' | 'store' | 'box'>

/** Throws for a plugin that is not there, and for one whose files come with the process. */
export async function getInstalled({ core, process }: PluginContext, id: string): Promise<Installed> {
  const { db } = core.database
  const wished = await findWished(db, id)
  if (process.has(id)) {
    throw userError('E_PLUGIN_BUNDLED', `"${id}" comes with this Huitou`, {
      status: 409,
      hint: 'Its version changes with Huitou’s own. It can be disabled.',
    })
  }
  if (wished?.version == null || wished.state !== 'installed') throw notFound('Plugin', id)
  const version = await findVersion(db, id, wished.version)
  if (!version) throw notFound('Plugin version', `${id} ${wished.version}`)
  return { wished: { ...wished, version: wished.version }, version }
}

/** Whether somebody vouches for a version now: the trust list may have changed since it was installed. */
export function signatureNow(signature: PluginSignature, trust: readonly TrustedKey[]): PluginSignature {
  const { state, publicKey, publisher, succeeds } = signature
  if (state !== 'trusted' && state !== 'unknown-publisher') return signature
  const isTrusted = trust.some(
    (key) => key.publisher === publisher && (key.publicKey === publicKey || key.publicKey === succeeds),
  )
  return { ...signature, state: isTrusted ? 'trusted' : 'unknown-publisher' }
}

/** Throws unless a trusted publisher signed the version, or somebody said that it may run all the same. */
export function checkVouched(version: PluginVersion, signature: PluginSignature): void {
  if (signature.state === 'trusted' || version.allowed) return
  const { pluginId, version: number } = version
  const details = { version: number, signature }
  if (signature.state === 'unknown-publisher') {
    throw userError(
      'E_UNKNOWN_PUBLISHER',
      `"${pluginId}" ${number} is signed by a key of "${signature.publisher}" that is not on your trust list`,
      {
        status: 409,
        hint: 'Trust the key if you know it to be theirs, or allow this version although nobody you trust vouches for it.',
        details,
      },
    )
  }
  throw userError('E_UNSIGNED', `Nobody signed "${pluginId}" ${number}`, {
    status: 409,
    hint: 'Ask its author for a signed version, or allow this one: then nobody but you vouches for it.',
    details,
  })
}

/**
 * Where the host finds an installed plugin, and what was decided about it. Throws `E_PLUGIN_FILES` when its files are
 * missing or changed, `E_UNSIGNED` and `E_UNKNOWN_PUBLISHER` when nobody vouches for it any longer.
 */
export async function locate(reads: Reads, installed: Installed): Promise<PluginLocation> {
  return await locateWith(reads, installed, await readTrust(reads))
}

async function locateWith(
  reads: Reads,
  installed: Installed,
  trust: readonly TrustedKey[],
): Promise<PluginLocation> {
  const { wished, version } = installed
  const location = await toLocation(reads, installed)
  const { intact, signature } = await reads.store.verify(wished.id, version.version, {
    trust,
    digest: version.digest,
  })
  if (!intact || signature.state === 'broken')
    throw filesError(wished.id, version.version, signature.reason ?? 'its files are not those installed')
  if (wished.enabled) checkVouched(version, signature)
  return location
}

async function toLocation({ store, box }: Reads, { wished, version }: Installed): Promise<PluginLocation> {
  const stored = await store.find(wished.id, version.version)
  if (!stored) throw filesError(wished.id, version.version, 'its files are not here')
  return {
    dir: stored.dir,
    id: wished.id,
    version: version.version,
    trusted: wished.trusted,
    enabled: wished.enabled,
    settings: openSettings(wished.settings, box),
    grants: version.grants ?? {},
  }
}

export interface Located {
  locations: PluginLocation[]
  broken: PluginContext['broken']
}

/** The wished set as locations for the host. What cannot be loaded is told apart, with the reason. */
export async function locateAll(reads: Reads, processIds: ReadonlySet<string>): Promise<Located> {
  const { db } = reads.core.database
  const [all, versions, trust] = await Promise.all([listWished(db), listVersions(db), readTrust(reads)])
  const located: Located = { locations: [], broken: new Map() }
  const locateOne = async (wished: WishedPlugin): Promise<PluginLocation | undefined> => {
    const { id, version: number } = wished
    if (number === null || wished.state !== 'installed' || processIds.has(id)) return undefined
    try {
      const version = versions.find(({ pluginId, version: known }) => pluginId === id && known === number)
      if (!version) throw filesError(id, number, 'nothing is known of this version')
      const installed = { wished: { ...wished, version: number }, version }
      // What is off runs nothing; its files are looked at when it is enabled.
      return wished.enabled ? await locateWith(reads, installed, trust) : await toLocation(reads, installed)
    } catch (error) {
      const stored = await reads.store.find(id, number)
      const manifest = stored && (await readManifest(stored.dir).catch(() => undefined))?.manifest
      located.broken.set(id, { error: toPluginError(error), manifest })
      return undefined
    }
  }
  // Files are read and compared side by side: a hundred plugins take little longer than ten.
  const found = await Promise.all(all.map(locateOne))
  located.locations = found.filter((location) => location !== undefined)
  return located
}

export function toPluginError(error: unknown): PluginError {
  if (error instanceof AppError)
    return { code: error.code, message: error.message, ...(error.hint ? { hint: error.hint } : {}) }
  const { code, message } = { ...(error as { code?: string }), message: messageOf(error) }
  return { code: code ?? 'E_PLUGIN', message }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String((error as { message?: string })?.message ?? error)
}

function filesError(id: string, version: string, reason: string): AppError {
  return new AppError('world', 'E_PLUGIN_FILES', `"${id}" ${version} cannot be loaded: ${reason}`, {
    status: 409,
    hint: 'Install this version again, or roll back to another one. Its settings and data are still there.',
  })
}
