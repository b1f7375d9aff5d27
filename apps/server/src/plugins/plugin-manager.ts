import {
  type BisectView,
  type ConsentOptions,
  findVersion,
  findWished,
  type InstallOptions,
  listPublishers,
  listVersions,
  listWished,
  type PluginAdmin,
  type PluginData,
  type PluginSource,
  type PluginVersion,
  type PluginView,
  type UpgradeOptions,
  type UploadOptions,
  type WishedPlugin,
  writeVersion,
  writeWished,
} from '@huitou/core'
import { notFound, type ResolvedManifest, userError } from '@huitou/plugin-api'
import { type HostEvent, readManifest } from '@huitou/plugin-host'
import { answer, beginBisect, endBisect, findBisect, keptOff, viewBisect } from './bisect.ts'
import { decideGrants } from './consent.ts'
import { installArchive } from './install.ts'
import { describeData, eraseData, exportData, exportPath } from './owned-data.ts'
import { note, type PluginContext, readTrust } from './plugin-context.ts'
import { idOf, placeholder, schemaOf, toView } from './plugin-view.ts'
import { findDrift, getCandidate } from './shadow.ts'
import * as sources from './sources.ts'
import { onlySecrets, sealSettings, withoutSecrets } from './stored-settings.ts'
import { findUpdate, lookForUpdates } from './updates.ts'
import { settingsFor, takeBackYoungUpgrade, upgradeTo } from './upgrade.ts'
import { checkVouched, getInstalled, type Installed, locate, signatureNow } from './wished-set.ts'

/** The life of plugins as the HTTP app sees it; every change is stored and holds after a restart. */
export class PluginManager implements PluginAdmin {
  readonly #context: PluginContext
  /** Changes happen one after another. */
  #lastChange: Promise<unknown> = Promise.resolve()

  constructor(context: PluginContext) {
    this.#context = context
  }

  async list(): Promise<PluginView[]> {
    const { core, host, broken } = this.#context
    const { db } = core.database
    const wished = new Map((await listWished(db)).map((each) => [each.id, each]))
    const versions = Map.groupBy(await listVersions(db), ({ pluginId }) => pluginId)
    const trust = await readTrust(this.#context)
    const ids = new Set([...host.list().map(({ id }) => id), ...broken.keys()])
    return await Promise.all(
      [...ids].map((id) =>
        this.#view(id, { wished: wished.get(id), versions: signedNow(versions.get(id) ?? [], trust) }),
      ),
    )
  }

  async get(id: string): Promise<PluginView> {
    const { db } = this.#context.core.database
    const versions = signedNow(await listVersions(db, id), await readTrust(this.#context))
    return await this.#view(id, { wished: await findWished(db, id), versions })
  }

  async documents(id: string) {
    if (!this.#runs(id)) return { readme: null, changelog: null }
    const { readme, changelog } = await this.#context.host.getDocuments(id)
    return { readme: readme ?? null, changelog: changelog ?? null }
  }

  settings(id: string): Record<string, unknown> {
    const { settings, manifest } = this.#context.host.getPlugin(id)
    return withoutSecrets(settings, schemaOf(manifest))
  }

  async setSettings(id: string, settings: Record<string, unknown>, by?: string): Promise<void> {
    const { host, core } = this.#context
    await this.#change(async () => {
      const { settings: before, manifest } = host.getPlugin(id)
      // A secret that was left out stays; one that was given replaces it.
      await host.setSettings(id, { ...onlySecrets(before, schemaOf(manifest)), ...settings })
      await this.#store(id, {})
      await note(this.#context, {
        by,
        action: 'settings',
        subject: id,
        details: { changed: Object.keys(settings) },
      })
    })
    core.scores.invalidate()
    core.wake()
  }

  async enable(id: string, options: ConsentOptions = {}, by?: string): Promise<void> {
    await this.#change(async () => {
      await this.#refuseWhileSearching()
      const { host, process, core } = this.#context
      if (process.has(id)) await host.enable(id)
      else await this.#enableInstalled(id, options, by)
      await this.#store(id, { enabled: true })
      await note(this.#context, { by, action: 'enable', subject: id })
      core.wake()
    })
  }

  async disable(id: string, by?: string): Promise<void> {
    await this.#change(async () => {
      await this.#refuseWhileSearching()
      const { host, core } = this.#context
      if (this.#runs(id)) await host.disable(id)
      await this.#store(id, { enabled: false })
      await note(this.#context, { by, action: 'disable', subject: id })
      core.wake()
    })
  }

  async trust(id: string, trusted: boolean, by?: string): Promise<void> {
    await this.#change(async () => {
      const installed = await getInstalled(this.#context, id)
      if (installed.wished.trusted === trusted) return
      const wished = { ...installed.wished, trusted }
      if (this.#runs(id))
        await this.#context.host.replace(id, await locate(this.#context, { ...installed, wished }))
      await this.#store(id, { trusted })
      await note(this.#context, { by, action: trusted ? 'trust' : 'distrust', subject: id })
    })
  }

  search(text: string, signal: AbortSignal) {
    return sources.searchRegistries(this.#context, text, signal)
  }

  details(registry: string, name: string) {
    return sources.readDetails(this.#context, registry, name)
  }

  async install({ acceptNewKey, ...from }: InstallOptions, by?: string): Promise<PluginView> {
    const { bytes, name, version } = await sources.download(this.#context, from)
    const source = { kind: 'registry', registry: from.registry, name: from.name } as const
    return await this.#install(bytes, { source, by, acceptNewKey, promised: { name, version } })
  }

  async upload(bytes: Uint8Array, { file, acceptNewKey }: UploadOptions, by?: string): Promise<PluginView> {
    return await this.#install(bytes, { source: { kind: 'upload', file: file ?? null }, by, acceptNewKey })
  }

  async upgrade(id: string, options: UpgradeOptions, by?: string): Promise<PluginView> {
    const version = await this.#fetchVersion(id, options, by)
    await this.#change(async () => {
      await this.#refuseWhileSearching()
      const installed = await getInstalled(this.#context, id)
      const target = await this.#decide(installed, version, options)
      await upgradeTo(this.#context, installed, target, { by })
      this.#afterVersion()
    })
    return await this.get(id)
  }

  async rollback(id: string, version: string, by?: string): Promise<PluginView> {
    await this.#change(async () => {
      await this.#refuseWhileSearching()
      const installed = await getInstalled(this.#context, id)
      const target = await this.#decide(installed, version, {})
      const settings = await settingsFor(this.#context, installed, version)
      await upgradeTo(this.#context, installed, target, { by, settings })
      this.#afterVersion()
    })
    return await this.get(id)
  }

  checkUpdates() {
    return lookForUpdates(this.#context)
  }

  async shadow(
    id: string,
    { version, allowUnsigned }: { version: string; allowUnsigned?: boolean | undefined },
    by?: string,
  ): Promise<{ jobId: string }> {
    const { candidate } = await getCandidate(this.#context, id, version)
    await this.#checkVouched({ ...candidate, allowed: candidate.allowed || allowUnsigned === true })
    await note(this.#context, { by, action: 'shadow', subject: id, details: { version } })
    const job = await this.#context.core.jobs.enqueue({
      kind: 'plugins.shadow',
      key: `plugins.shadow:${id}`,
      title: JSON.stringify({ en: `Compare ${id} ${version}`, 'zh-CN': `对比 ${id} ${version}` }),
      payload: { pluginId: id, version, allowed: allowUnsigned === true },
    })
    return { jobId: job.id }
  }

  async drift(id: string) {
    return await findDrift(this.#context, id)
  }

  async data(id: string): Promise<PluginData> {
    return await describeData(this.#context, id)
  }

  async uninstall(
    id: string,
    data: 'keep' | 'export' | 'erase',
    by?: string,
  ): Promise<{ export: string | null }> {
    return await this.#change(async () => {
      await this.#refuseWhileSearching()
      const { core, host, store, broken } = this.#context
      const { wished } = await getInstalled(this.#context, id)
      if (this.#runs(id)) await host.remove(id)
      broken.delete(id)
      core.wake()
      const file = data === 'export' ? await exportData(this.#context, id) : null
      if (data === 'keep') {
        await writeWished(
          core.database.db,
          { ...wished, state: 'kept', enabled: false, trusted: false },
          core.clock.now(),
        )
      } else await eraseData(this.#context, id)
      await store.remove(id)
      await note(this.#context, {
        by,
        action: 'uninstall',
        subject: id,
        details: { data, version: wished.version },
      })
      return { export: file && `/api/plugin-exports/${encodeURIComponent(file)}` }
    })
  }

  exportFile(name: string): string {
    return exportPath(this.#context, name)
  }

  log(id: string) {
    return this.#runs(id) ? this.#context.host.log(id) : []
  }

  async profile(id: string, ms: number): Promise<string> {
    return await this.#context.host.profile(id, ms)
  }

  readonly bisect = {
    view: (): Promise<BisectView> => viewBisect(this.#context),
    start: (by?: string) => this.#change(() => beginBisect(this.#context, by)),
    answer: (how: 'good' | 'bad', by?: string) => this.#change(() => answer(this.#context, how, by)),
    stop: (by?: string) => this.#change(() => endBisect(this.#context, by)),
  }

  registries() {
    return sources.listRegistryViews(this.#context)
  }

  async addRegistry(registry: Parameters<PluginAdmin['addRegistry']>[0], by?: string): Promise<void> {
    await sources.addRegistryTo(this.#context, registry, by)
  }

  async removeRegistry(id: string, by?: string): Promise<void> {
    await sources.removeRegistryFrom(this.#context, id, by)
  }

  async publishers() {
    return await listPublishers(this.#context.core.database.db)
  }

  async addPublisher(key: { publisher: string; publicKey: string }, by?: string): Promise<void> {
    await sources.trustPublisher(this.#context, key, by)
  }

  async removePublisher(keyId: string, by?: string): Promise<void> {
    await sources.distrustPublisher(this.#context, keyId, by)
  }

  /** Looks at what happens in the host: a plugin that is set aside soon after its upgrade goes back. */
  onHostEvent(event: HostEvent): void {
    const { live, log } = { live: this.#context.live, log: this.#context.core.log }
    live.announce('plugins')
    if (event.type !== 'crash' || !event.quarantined) return
    void this.#change(async () => {
      if (await takeBackYoungUpgrade(this.#context, event.pluginId, event.error)) this.#afterVersion()
    }).catch((error: unknown) => {
      log.error({ plugin: event.pluginId, error: String(error) }, 'An upgrade could not be taken back')
    })
  }

  async #install(bytes: Uint8Array, request: Parameters<typeof installArchive>[2]): Promise<PluginView> {
    const id = await this.#change(async () => {
      const { id: installed, isNew, version } = await installArchive(this.#context, bytes, request)
      const { host, broken } = this.#context
      const found = await getInstalled(this.#context, installed)
      // Also when the version in force was damaged and is whole again.
      if (isNew || (broken.has(installed) && found.wished.version === version)) {
        broken.delete(installed)
        await host.add(await locate(this.#context, found))
      }
      return installed
    })
    return await this.get(id)
  }

  async #enableInstalled(id: string, options: ConsentOptions, by: string | undefined): Promise<void> {
    const { host, broken } = this.#context
    const installed = await getInstalled(this.#context, id)
    const version = await this.#decide(installed, installed.wished.version, options)
    // Its files are looked at once more before any of it runs.
    const location = await locate(this.#context, { version, wished: { ...installed.wished, enabled: true } })
    if (broken.delete(id) || !this.#runs(id)) await host.add({ ...location, enabled: false })
    host.setGrants(id, version.grants ?? {})
    await host.enable(id)
    await note(this.#context, {
      by,
      action: 'grant',
      subject: id,
      details: { version: version.version, grants: version.grants },
    })
  }

  /** Settles what a version may do and whether somebody vouches for it, and writes that down. */
  async #decide(
    { wished, version: present }: Installed,
    number: string,
    { grants, allowUnsigned }: ConsentOptions,
  ): Promise<PluginVersion> {
    const { core, store } = this.#context
    const found = await findVersion(core.database.db, wished.id, number)
    if (!found) throw notFound('Plugin version', `${wished.id} ${number}`)
    const allowed = found.allowed || allowUnsigned === true
    await this.#checkVouched({ ...found, allowed })
    const { manifest } = await readManifest((await store.get(wished.id, number)).dir)
    const before = found.grants === null ? present : found
    const asked = manifest.permissions ?? {}
    const decided = {
      ...found,
      allowed,
      grants: decideGrants({
        pluginId: wished.id,
        version: number,
        asked,
        decided: before.grants === null ? {} : await this.#askedBy(before, manifest),
        granted: before.grants ?? {},
        says: grants,
      }),
    }
    await writeVersion(core.database.db, decided)
    return decided
  }

  async #checkVouched(version: PluginVersion): Promise<void> {
    checkVouched(version, signatureNow(version.signature, await readTrust(this.#context)))
  }

  /** All that a version asked for when somebody decided about it. */
  async #askedBy({ pluginId, version }: PluginVersion, manifest: ResolvedManifest) {
    if (manifest.version === version) return manifest.permissions ?? {}
    const stored = await this.#context.store.find(pluginId, version)
    const loaded = stored && (await readManifest(stored.dir).catch(() => undefined))
    return loaded?.manifest.permissions ?? {}
  }

  /** The version to upgrade to, brought here when it is not. */
  async #fetchVersion(
    id: string,
    { registry, version, acceptNewKey }: UpgradeOptions,
    by: string | undefined,
  ): Promise<string> {
    const { wished } = await getInstalled(this.#context, id)
    const here = version && (await findVersion(this.#context.core.database.db, id, version))
    if (here) return here.version
    const source = sourceOf(wished, registry)
    const found = await sources.download(this.#context, { ...source, version })
    await this.#change(() =>
      installArchive(this.#context, found.bytes, {
        source: { kind: 'registry', ...source },
        by,
        acceptNewKey,
        promised: found,
      }),
    )
    return found.version
  }

  async #store(id: string, change: Partial<WishedPlugin>): Promise<void> {
    const { core, host, box } = this.#context
    const before = (await findWished(core.database.db, id)) ?? fromProcess(id)
    const runs = this.#runs(id) ? host.getPlugin(id) : undefined
    const settings = runs ? sealSettings(runs.settings, schemaOf(runs.manifest), box) : before.settings
    await writeWished(core.database.db, { ...before, settings, ...change }, core.clock.now())
  }

  async #view(
    id: string,
    { wished, versions }: { wished: WishedPlugin | undefined; versions: readonly PluginVersion[] },
  ): Promise<PluginView> {
    const { host, broken, process } = this.#context
    const trouble = broken.get(id)
    const info = this.#runs(id) ? host.getPlugin(id) : undefined
    const manifest = info?.manifest ?? trouble?.manifest ?? (wished && placeholder(wished))
    if (!manifest || idOf(manifest) !== id) throw notFound('Plugin', id)
    const own = process.get(id)
    return toView({
      manifest,
      info,
      error: trouble?.error,
      wished,
      versions,
      folder: own?.isFolder ? own.dir : undefined,
      update: await findUpdate(this.#context, id, manifest),
    })
  }

  #runs(id: string): boolean {
    return this.#context.host.list().some((plugin) => plugin.id === id)
  }

  #afterVersion(): void {
    const { core, live } = this.#context
    core.scores.invalidate()
    core.wake()
    live.announce('plugins')
  }

  async #refuseWhileSearching(): Promise<void> {
    const bisect = await findBisect(this.#context)
    if (bisect?.state !== 'searching') return
    throw userError('E_BISECT_RUNNING', 'A search for the plugin behind a problem is under way', {
      status: 409,
      hint: 'Finish it or stop it first: it has plugins off that are wished.',
      details: { off: [...keptOff(bisect)] },
    })
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const change = this.#lastChange.then(work)
    this.#lastChange = change.catch(() => {})
    return change
  }
}

function signedNow(versions: readonly PluginVersion[], trust: Awaited<ReturnType<typeof readTrust>>) {
  return versions.map((version) => ({ ...version, signature: signatureNow(version.signature, trust) }))
}

function sourceOf({ id, source }: WishedPlugin, registry: string | undefined) {
  if (source.kind === 'registry') return { registry: registry ?? source.registry, name: source.name }
  throw userError('E_NO_REGISTRY', `"${id}" was installed from a file`, {
    status: 409,
    hint: 'Upload the new version, then name it here.',
  })
}

/** What is wished of a plugin that comes with the process, before anybody wished anything. */
function fromProcess(id: string): WishedPlugin {
  const source: PluginSource = { kind: 'process' }
  return {
    id,
    version: null,
    digest: null,
    source,
    state: 'installed',
    enabled: true,
    trusted: true,
    settings: {},
    fault: null,
    installedAt: null,
    installedBy: null,
  }
}
