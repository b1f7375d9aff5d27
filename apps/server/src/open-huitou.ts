import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Auth,
  type Clock,
  type Core,
  createAuth,
  createCore,
  LiveTopics,
  type Logger,
  oneAtATime,
  openDatabase,
  readBrand,
  type PluginAdmin,
  systemClock,
  type ThisNode,
} from '@huitou/core'
import { AppError } from '@huitou/plugin-api'
import type { Effects, PluginHost } from '@huitou/plugin-host'
import type { PluginStore } from '@huitou/plugin-host/install'
import type { Config } from './config.ts'
import { DemoClock } from './demo/demo-clock.ts'
import { defineDemoJobs } from './demo/demo-jobs.ts'
import { pluginEffects } from './plugin-effects.ts'
import { announceExtensions } from './plugin-extensions.ts'
import { bundledPlugins } from './plugins/bundled-plugins.ts'
import { collectionsData, collectionsPart } from './plugins/collection-data.ts'
import { openPlugins } from './plugins/open-plugins.ts'
import { storageData } from './plugins/storage-data.ts'
import { storagePart } from './plugins/storage-part.ts'
import { createSecretBox, type SecretBox } from './secret-box.ts'

/** Everything that one process of Huitou is made of. */
export interface Huitou extends AsyncDisposable {
  readonly core: Core
  readonly host: PluginHost
  readonly plugins: PluginAdmin
  /** Files of installed plugins. */
  readonly store: PluginStore
  readonly live: LiveTopics
  /** Makes plugins those that are wished, on whichever node, and says what of them runs here. */
  followPlugins(node: ThisNode): Promise<Disposable>
  readonly secretIn: Config['secretIn']
  /** People and sessions, made at first use: commands that need none do not wait for it. */
  auth(): Promise<Auth>
}

export interface OpenOptions {
  config: Config
  log: Logger
  clock?: Clock
  /** Folders of further plugins, trusted like bundled ones: for those who are writing one. */
  plugins?: readonly string[]
  /** Put around what plugins can ask for, to record it. */
  wrapEffects?: (effects: Effects) => Effects
}

/** Opening a hundred plugins takes a fraction of this. */
const OPENING_MS = 10_000

/** Opens the database, brings its schema up to date, and puts plugins and core together. Nothing runs yet. */
export async function openHuitou({
  config,
  log,
  clock,
  plugins = [],
  wrapEffects = (effects) => effects,
}: OpenOptions): Promise<Huitou> {
  const database = openDatabase(databaseOf(config))
  try {
    const box = createSecretBox(config.secret)
    const demoClock = clock ? undefined : new DemoClock()
    const core = await oneAtATime(database, () =>
      createCore({
        ...coreOptionsOf(config, box),
        database,
        log,
        clock: clock ?? demoClock ?? systemClock,
      }),
    )
    await demoClock?.restore(database.db)
    await core.erasures.applyNoted()
    await core.erasures.resume()
    const live = new LiveTopics(database.notices)
    const opening = Promise.withResolvers<PluginHost>()
    const effects = pluginEffects({ core, log, box, host: () => whenOpen(opening.promise) })
    const opened = await oneAtATime(database, () =>
      openPlugins(core, {
        box,
        log,
        live,
        effects: wrapEffects(effects),
        bundled: bundledPlugins(),
        folders: plugins,
        parts: [collectionsPart(core), storagePart(core)],
        data: [collectionsData(core), storageData(core)],
      }),
    )
    opening.resolve(opened.host)
    core.watch.surround(async () => ({
      backupsPlanned: config.backup !== undefined,
      plugins: opened.host
        .list()
        .flatMap(({ id, state }) => (state === 'failed' || state === 'quarantined' ? [{ id, state }] : [])),
    }))
    await core.erasures.surround(() => erasersOf(opened.host))
    announceExtensions(opened.host)
    followBrand(core, opened.host)
    defineDemoJobs(core, demoClock)
    let auth: Promise<Auth> | undefined
    return {
      core,
      live,
      host: opened.host,
      plugins: opened.plugins,
      store: opened.store,
      followPlugins: opened.follow,
      secretIn: config.secretIn,
      auth: () =>
        (auth ??= createAuth({
          database,
          clock: core.clock,
          secret: config.secret,
          singleSignOn: config.singleSignOn,
          ...(config.publicUrl ? { publicUrl: config.publicUrl } : {}),
        })),
      async [Symbol.asyncDispose]() {
        await core.stop()
        await opened[Symbol.asyncDispose]()
        await effects[Symbol.asyncDispose]()
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

function databaseOf({ databaseUrl, analyticsUrl, nodeSilenceMs, dataDir }: Config) {
  if (!databaseUrl) return { file: path.join(dataDir, 'huitou.db') }
  return {
    url: databaseUrl,
    ...(analyticsUrl ? { analyticsUrl } : {}),
    ...(nodeSilenceMs ? { silenceMs: nodeSilenceMs } : {}),
  }
}

function coreOptionsOf(config: Config, box: SecretBox) {
  const { dataDir, secret, oldSecret, publicUrl, databaseUrl, mailServer, jobsBackend = 'postgres' } = config
  return {
    dataDir,
    secret,
    oldSecret,
    publicUrl,
    mailServer,
    jobsBackend: databaseUrl ? jobsBackend : undefined,
    deliveries: { box },
    rights: { secret, box, oldBox: oldSecret === undefined ? undefined : createSecretBox(oldSecret) },
    journeys: { trialChannel: 'huitou.channel-sandbox/message' },
  }
}

/** The brand's settings may be changed on another node. */
function followBrand({ database, log }: Core, host: PluginHost): void {
  const read = () =>
    void readBrand(database.db).then(
      ({ currency, timeZone, locale }) => host.setBrand({ currency, timeZone, locale }),
      (error: unknown) => log.warn({ error: String(error) }, 'The brand could not be read'),
    )
  database.notices.on('brand', read)
  database.notices.on('missed', read)
}

/** Plugins may ask for something while the others are still being opened, and wait for that so long. */
async function whenOpen(opening: Promise<PluginHost>): Promise<PluginHost> {
  const given = new AbortController()
  const late = sleep(OPENING_MS, undefined, { ref: false, signal: given.signal }).then(() => {
    throw new AppError('world', 'E_STARTING', 'Other plugins are not open yet', {
      status: 503,
      hint: 'Ask when the plugin is called, not while it activates.',
    })
  })
  try {
    return await Promise.race([opening, late])
  } finally {
    late.catch(() => {})
    given.abort()
  }
}

/** What installed extensions keep of customers elsewhere, also while they do not run. */
function erasersOf(host: PluginHost) {
  return host.list().flatMap(({ id: plugin, manifest }) =>
    (manifest.contributes?.erasers ?? []).map(({ id, title }) => ({
      plugin,
      id: `${plugin}/${id}`,
      title: typeof title === 'string' ? { en: title, 'zh-CN': title } : title,
    })),
  )
}
