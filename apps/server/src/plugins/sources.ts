import {
  addPublisher,
  addRegistry,
  type AvailablePluginDetails,
  type AvailablePlugins,
  listRegistries,
  listWished,
  type NewRegistry,
  type PluginRegistry,
  type RegistryView,
  removePublisher,
  removeRegistry,
} from '@huitou/core'
import { apiVersion, AppError, notFound, type Permissions, userError } from '@huitou/plugin-api'
import {
  type AvailableDetails,
  type AvailablePlugin,
  folderRegistry,
  newestCompatible,
  npmRegistry,
  parsePublisherKey,
  type Registry,
  webRegistry,
} from '@huitou/plugin-host/install'
import type { SecretBox } from '../secret-box.ts'
import { toEntries } from './consent.ts'
import { note, type PluginContext, readTrust } from './plugin-context.ts'
import { signatureNow, toPluginError } from './wished-set.ts'

const SEARCH_MS = 10_000
const DETAILS_MS = 20_000
const DOWNLOAD_MS = 120_000

/** Asks every registry at once. One that is slow or gives no answer is named beside what the others found. */
export async function searchRegistries(
  { core, box }: PluginContext,
  text: string,
  signal: AbortSignal,
): Promise<AvailablePlugins> {
  const installed = await installedVersions({ core })
  const found: AvailablePlugins = { results: [], problems: [] }
  const registries = (await listRegistries(core.database.db)).map((registry) => openRegistry(registry, box))
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SEARCH_MS)])
  const answers = await Promise.allSettled(
    registries.map(async (registry) => await withLimit(registry.search(text, { signal: limit }), limit)),
  )
  for (const [index, answer] of answers.entries()) {
    const registry = registries[index]!.id
    if (answer.status === 'fulfilled')
      found.results.push(...answer.value.map((each) => toAvailable(registry, each, installed)))
    else {
      const { code, message } = toPluginError(answer.reason)
      found.problems.push({ registry, code, message })
    }
  }
  return found
}

/** One plugin of a registry, before anything of it is here. */
export async function readDetails(
  { core, box }: PluginContext,
  registry: string,
  name: string,
): Promise<AvailablePluginDetails> {
  const found = openRegistry(await getRegistry(core, registry), box)
  const signal = AbortSignal.timeout(DETAILS_MS)
  const details = await withLimit(found.details(name, { signal }), signal)
  const { configuration: _, ...contributes } = (details.manifest.contributes ?? {}) as Record<string, unknown>
  return {
    ...toAvailable(registry, details, await installedVersions({ core })),
    readme: details.readme ?? null,
    changelog: details.changelog ?? null,
    categories: details.categories,
    license: details.manifest.license ?? null,
    signature: signatureNow(details.signature, await readTrust({ core })),
    packedBytes: details.packedBytes,
    contributes,
    permissions: toEntries(details.manifest.permissions ?? {}),
    versions: details.versions.map(({ version, publishedAt }) => ({
      version,
      publishedAt: publishedAt === undefined ? null : Date.parse(publishedAt),
    })),
  }
}

/** The package of a version; of the newest that runs on this Huitou when none is named. */
export async function download(
  { core, box }: Pick<PluginContext, 'core' | 'box'>,
  from: { registry: string; name: string; version?: string | undefined },
): Promise<{ bytes: Uint8Array; name: string; version: string }> {
  const registry = openRegistry(await getRegistry(core, from.registry), box)
  const signal = AbortSignal.timeout(DOWNLOAD_MS)
  const version =
    from.version ?? (await withLimit(newestDetails(registry, from.name, signal), signal)).version
  return await withLimit(registry.download(from.name, version, { signal }), signal)
}

/**
 * The newest version of an installed plugin that runs on this Huitou, in the registry it came from, with what it asks
 * for.
 */
export async function findNewest(
  { core, box }: Pick<PluginContext, 'core' | 'box'>,
  { registry, name }: { registry: string; name: string },
): Promise<{ version: string; permissions: Permissions }> {
  const signal = AbortSignal.timeout(DETAILS_MS)
  const found = openRegistry(await getRegistry(core, registry), box)
  const { version, manifest } = await withLimit(newestDetails(found, name, signal), signal)
  return { version, permissions: manifest.permissions ?? {} }
}

/** The newest version that runs here of the plugin with this id; registries know plugins by the names of packages. */
export async function findInRegistry(
  { core, box }: Pick<PluginContext, 'core' | 'box'>,
  registry: string,
  id: string,
): Promise<AvailableDetails | undefined> {
  const found = openRegistry(await getRegistry(core, registry), box)
  const signal = AbortSignal.timeout(SEARCH_MS)
  for (const text of [id.slice(id.indexOf('.') + 1), id]) {
    const results = await withLimit(found.search(text, { signal }), signal)
    const match = results.find((each) => each.id === id)
    if (match) return await withLimit(newestDetails(found, match.name, signal), signal)
  }
  return undefined
}

/** Of the newest version that runs here; of the newest of all when none does, whose enabling then says why. */
async function newestDetails(
  registry: Registry,
  name: string,
  signal: AbortSignal,
): Promise<AvailableDetails> {
  const latest = await registry.details(name, { signal })
  const version = newestCompatible(latest.versions, apiVersion)
  if (version === undefined || version === latest.version) return latest
  return await registry.details(name, { signal, version })
}

export async function listRegistryViews({ core }: PluginContext): Promise<RegistryView[]> {
  return (await listRegistries(core.database.db)).map(({ options: { token, ...options }, ...registry }) => ({
    ...registry,
    options: { ...options, hasToken: token !== undefined },
  }))
}

export async function addRegistryTo(
  context: PluginContext,
  { id, kind, title, token, ...options }: NewRegistry,
  by: string | undefined,
): Promise<void> {
  const { core, box } = context
  if (kind === 'web' && !options.url) throw incomplete('url', 'the address of its index.json')
  if (kind === 'folder' && !options.path) throw incomplete('path', 'the folder that holds its index.json')
  const sealed = token === undefined ? {} : { token: box.seal(token) }
  const registry: PluginRegistry = {
    id,
    kind,
    title,
    options: { ...options, ...sealed },
    addedAt: core.clock.now(),
  }
  openRegistry(registry, box)
  await addRegistry(core.database.db, registry)
  await note(context, { by, action: 'registry.add', subject: id, details: { kind, ...options } })
}

export async function removeRegistryFrom(
  context: PluginContext,
  id: string,
  by: string | undefined,
): Promise<void> {
  await removeRegistry(context.core.database.db, id)
  await note(context, { by, action: 'registry.remove', subject: id })
}

export async function trustPublisher(
  context: PluginContext,
  key: { publisher: string; publicKey: string },
  by: string | undefined,
): Promise<void> {
  const { core } = context
  const { publisher, keyId, publicKey } = parsePublisherKey(key)
  await addPublisher(core.database.db, {
    publisher,
    keyId,
    publicKey,
    addedAt: core.clock.now(),
    addedBy: by ?? 'system',
  })
  await note(context, { by, action: 'publisher.trust', subject: publisher, details: { keyId } })
}

export async function distrustPublisher(
  context: PluginContext,
  keyId: string,
  by: string | undefined,
): Promise<void> {
  await removePublisher(context.core.database.db, keyId)
  await note(context, { by, action: 'publisher.distrust', subject: keyId })
}

function openRegistry({ id, kind, title, options }: PluginRegistry, box: SecretBox): Registry {
  const { url, path = '', scope } = options
  if (kind === 'folder') return folderRegistry({ id, title, path })
  const token = options.token === undefined ? {} : { token: box.open(options.token) }
  if (kind === 'web') return webRegistry({ id, title, url: url ?? '', ...token })
  return npmRegistry({
    id,
    title,
    ...(url === undefined ? {} : { url }),
    ...(scope === undefined ? {} : { scope }),
    ...token,
  })
}

async function getRegistry(core: PluginContext['core'], id: string): Promise<PluginRegistry> {
  const registry = (await listRegistries(core.database.db)).find((each) => each.id === id)
  if (!registry) throw notFound('Registry', id)
  return registry
}

async function installedVersions({ core }: Pick<PluginContext, 'core'>): Promise<Map<string, string>> {
  const wished = await listWished(core.database.db)
  return new Map(
    wished.flatMap(({ id, version, state }) =>
      version !== null && state === 'installed' ? [[id, version] as const] : [],
    ),
  )
}

function toAvailable(registry: string, plugin: AvailablePlugin, installed: ReadonlyMap<string, string>) {
  const { name, id, version, displayName, description, publisher, icon } = plugin
  return {
    registry,
    name,
    id,
    version,
    displayName,
    description,
    publisher,
    icon: icon ?? null,
    installed: installed.get(id) ?? null,
  }
}

/** A registry that does not heed the signal is not waited for either. */
function withLimit<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () =>
      reject(
        new AppError('world', 'E_REGISTRY_TIMEOUT', 'The registry did not answer in time', { status: 504 }),
      )
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

function incomplete(field: string, what: string): AppError {
  return userError('E_INVALID', `${field}: a registry of this kind needs ${what}`, {
    hint: `Say ${field} as well.`,
  })
}
