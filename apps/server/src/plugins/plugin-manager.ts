import {
  type BisectView,
  type ConsentOptions,
  findWished,
  type InstallOptions,
  listNodes,
  listPermissionUses,
  listPublishers,
  listVersions,
  listWished,
  type NodeView,
  type PluginAdmin,
  type PluginData,
  type PluginVersion,
  type PluginView,
  type UpgradeOptions,
  type UploadOptions,
  type WishedPlugin,
  writeWished,
} from '@huitou/core'
import { notFound, userError } from '@huitou/plugin-api'
import type { HostEvent } from '@huitou/plugin-host'
import { Arrivals } from './arrivals.ts'
import { answer, beginBisect, endBisect, findBisect, keptOff, viewBisect } from './bisect.ts'
import { setKindBudgets, setPluginBudget, viewBudget, viewBudgets } from './budgets.ts'
import { describeCandidate } from './candidate.ts'
import { checkVouchedNow, decide, enableInstalled } from './enable-installed.ts'
import { converge } from './converge.ts'
import { enablingOrder, listCompanions } from './companions.ts'
import { describeData, exportPath } from './owned-data.ts'
import { note, type PluginContext, type ProcessPlugin, readTrust } from './plugin-context.ts'
import { idOf, placeholder, schemaOf, toView, type Viewed } from './plugin-view.ts'
import { findDrift, getCandidate } from './shadow.ts'
import * as sources from './sources.ts'
import { onlySecrets, sealSettings, withoutSecrets } from './stored-settings.ts'
import { uninstall, type UninstallRequest } from './uninstall.ts'
import { findUpdate, lookForUpdates } from './updates.ts'
import { settingsFor, settleAbandonedTrials, takeBackYoungUpgrade, upgradeTo } from './upgrade.ts'
import { getInstalled, locate, signatureNow } from './wished-set.ts'

/** The life of plugins as the HTTP app sees it; every change is stored and holds after a restart. */
export class PluginManager implements PluginAdmin {
  readonly #context: PluginContext
  readonly #arrivals: Arrivals
  /** Changes happen one after another. */
  #lastChange: Promise<unknown> = Promise.resolve()

  constructor(context: PluginContext) {
    this.#context = context
    this.#arrivals = new Arrivals(context, (work) => this.#change(work))
  }

  async list(): Promise<PluginView[]> {
    const { core, host, broken } = this.#context
    const { db } = core.database
    const wished = new Map((await listWished(db)).map((each) => [each.id, each]))
    const versions = Map.groupBy(await listVersions(db), ({ pluginId }) => pluginId)
    const uses = Map.groupBy(await listPermissionUses(db), ({ pluginId }) => pluginId)
    const trust = await readTrust(this.#context)
    const nodes = await this.#nodes()
    const ids = new Set([...host.list().map(({ id }) => id), ...broken.keys()])
    return await Promise.all(
      [...ids].map((id) =>
        this.#view(id, {
          wished: wished.get(id),
          versions: signedNow(versions.get(id) ?? [], trust),
          uses: uses.get(id) ?? [],
          nodes,
        }),
      ),
    )
  }

  async get(id: string): Promise<PluginView> {
    const { db } = this.#context.core.database
    const versions = signedNow(await listVersions(db, id), await readTrust(this.#context))
    return await this.#view(id, {
      wished: await findWished(db, id),
      versions,
      uses: await listPermissionUses(db, id),
      nodes: await this.#nodes(),
    })
  }

  async kept() {
    const wished = await listWished(this.#context.core.database.db)
    return wished.filter(({ state }) => state === 'kept').map(({ id, version }) => ({ id, version }))
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
      const { companions, ...own } = options
      for (const each of enablingOrder(this.#context, id, companions))
        await this.#enable(each, each === id ? own : (companions?.[each] ?? {}), by)
      this.#context.core.wake()
    })
  }

  async #enable(id: string, options: ConsentOptions, by: string | undefined): Promise<void> {
    const { host, process } = this.#context
    if (process.has(id)) {
      await host.enable(id)
      this.#context.broken.delete(id)
    } else await enableInstalled(this.#context, id, { ...options, by })
    await this.#store(id, { enabled: true })
    await note(this.#context, { by, action: 'enable', subject: id })
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

  async install(from: InstallOptions, by?: string): Promise<PluginView> {
    return await this.get(await this.#arrivals.install(from, by))
  }

  async upload(bytes: Uint8Array, options: UploadOptions, by?: string): Promise<PluginView> {
    return await this.get(await this.#arrivals.upload(bytes, options, by))
  }

  async installCompanions(id: string, by?: string): Promise<PluginView> {
    await this.#arrivals.installCompanions(id, by)
    return await this.get(id)
  }

  async upgrade(id: string, options: UpgradeOptions, by?: string): Promise<PluginView> {
    const version = await this.#arrivals.bringVersion(id, options, by)
    await this.#change(async () => {
      await this.#refuseWhileSearching()
      const installed = await getInstalled(this.#context, id)
      const target = await decide(this.#context, installed, { ...options, version })
      await upgradeTo(this.#context, installed, target, { by })
      this.#afterVersion()
    })
    return await this.get(id)
  }

  async rollback(id: string, version: string, by?: string): Promise<PluginView> {
    await this.#change(async () => {
      await this.#refuseWhileSearching()
      const installed = await getInstalled(this.#context, id)
      const target = await decide(this.#context, installed, { version })
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
    await checkVouchedNow(this.#context, {
      ...candidate,
      allowed: candidate.allowed || allowUnsigned === true,
    })
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

  async candidate(id: string, version: string) {
    return await describeCandidate(this.#context, id, version)
  }

  async data(id: string): Promise<PluginData> {
    return await describeData(this.#context, id)
  }

  async uninstall(
    id: string,
    data: UninstallRequest['data'],
    by?: string,
  ): Promise<{ export: string | null }> {
    return await this.#change(async () => {
      await this.#refuseWhileSearching()
      return await uninstall(this.#context, id, { data, by })
    })
  }

  exportFile(name: string): string {
    return exportPath(this.#context, name)
  }

  readonly budgets: PluginAdmin['budgets'] = {
    view: () => viewBudgets(this.#context),
    setKinds: (kinds, by) => this.#change(() => setKindBudgets(this.#context, kinds, by)),
    set: (id, budget, by) => this.#change(() => setPluginBudget(this.#context, { id, budget }, by)),
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

  /** Makes this node run what is wished, also when it was wished on another one. */
  async converge(): Promise<void> {
    if (await this.#change(() => converge(this.#context))) {
      this.#context.core.wake()
      this.#context.live.announceHere('plugins')
    }
  }

  /** Takes back upgrades that another process began and did not end. */
  async settleAbandoned(): Promise<void> {
    await this.#change(() => settleAbandonedTrials(this.#context))
    this.#afterVersion()
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

  async #store(id: string, change: Partial<WishedPlugin>): Promise<void> {
    const { core, host, box, process } = this.#context
    const before = (await findWished(core.database.db, id)) ?? fromProcess(id, process.get(id))
    const runs = this.#runs(id) ? host.getPlugin(id) : undefined
    const settings = runs ? sealSettings(runs.settings, schemaOf(runs.manifest), box) : before.settings
    await writeWished(core.database.db, { ...before, settings, ...change }, core.clock.now())
  }

  async #view(
    id: string,
    { wished, versions, uses, nodes }: Pick<Viewed, 'wished' | 'versions' | 'uses'> & { nodes: NodeView[] },
  ): Promise<PluginView> {
    const { host, broken, process } = this.#context
    const trouble = broken.get(id)
    const info = this.#runs(id) ? host.getPlugin(id) : undefined
    const manifest = info?.manifest ?? trouble?.manifest ?? (trouble && wished && placeholder(wished))
    if (!manifest || idOf(manifest) !== id) throw notFound('Plugin', id)
    const own = process.get(id)
    return toView({
      manifest,
      info,
      error: trouble?.error,
      wished,
      versions,
      uses,
      folder: own?.isFolder ? own.dir : undefined,
      update: await findUpdate(this.#context, id, manifest),
      companions: listCompanions(this.#context, manifest),
      nodes: nodes.map(({ id: node, host: machine, role, plugins }) => ({
        id: node,
        host: machine,
        role,
        ...(plugins[id] ?? { version: '', state: 'absent' as const }),
      })),
      budget: info && info.running.kind !== 'none' ? viewBudget(host, id) : null,
    })
  }

  /** Servers that live; none when there is only one. */
  async #nodes(): Promise<NodeView[]> {
    const { database } = this.#context.core
    if (database.engine === 'sqlite') return []
    const alive = (await listNodes(database.db)).filter((node) => node.alive)
    return alive.length > 1 ? alive : []
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

/** What is wished of a plugin that comes with the process, before anybody wished anything. */
function fromProcess(id: string, own: ProcessPlugin | undefined): WishedPlugin {
  return {
    id,
    version: null,
    digest: null,
    source: { kind: 'process' },
    state: 'installed',
    enabled: own?.enabledByDefault ?? true,
    trusted: true,
    settings: {},
    fault: null,
    installedAt: null,
    installedBy: null,
  }
}
