import path from 'node:path'
import {
  type Auth,
  type Clock,
  type Core,
  createAuth,
  createCore,
  LiveTopics,
  type Logger,
  openDatabase,
  type PluginAdmin,
  readBrand,
} from '@huitou/core'
import { createPluginHost, type HostEvent, type PluginHost, readManifest } from '@huitou/plugin-host'
import { bundledPlugins } from './plugins/bundled-plugins.ts'
import type { Config } from './config.ts'
import { connectPlugins } from './plugins/connect-plugins.ts'
import { defineDemoJob } from './demo-job.ts'
import { createPluginAdmin, readPluginStates } from './plugin-admin.ts'
import { pluginEffects } from './plugin-effects.ts'
import { createSecretBox, type SecretBox } from './secret-box.ts'

/** Everything that one process of Huitou is made of. */
export interface Huitou extends AsyncDisposable {
  readonly core: Core
  readonly host: PluginHost
  readonly plugins: PluginAdmin
  readonly live: LiveTopics
  /** People and sessions, made at first use: commands that need none do not wait for it. */
  auth(): Promise<Auth>
}

export interface OpenOptions {
  config: Config
  log: Logger
  clock?: Clock
  /** Folders of further plugins, trusted like bundled ones: for those who are writing one. */
  plugins?: readonly string[]
}

/** Opens the database, brings its schema up to date, and puts plugins and core together. Nothing runs yet. */
export async function openHuitou({ config, log, clock, plugins = [] }: OpenOptions): Promise<Huitou> {
  const database = openDatabase(
    config.databaseUrl
      ? { url: config.databaseUrl, ...(config.analyticsUrl ? { analyticsUrl: config.analyticsUrl } : {}) }
      : { file: path.join(config.dataDir, 'huitou.db') },
  )
  try {
    const core = await createCore({ database, dataDir: config.dataDir, log, ...(clock ? { clock } : {}) })
    const box = createSecretBox(config.secret)
    const host = await openHost(core, { box, log, folders: [...bundledPlugins(), ...plugins] })
    connectPlugins(core, host)
    defineDemoJob(core)
    const live = new LiveTopics()
    let auth: Promise<Auth> | undefined
    return {
      core,
      host,
      live,
      plugins: createPluginAdmin(core, host, box),
      auth: () =>
        (auth ??= createAuth({
          database,
          secret: config.secret,
          ...(config.publicUrl ? { publicUrl: config.publicUrl } : {}),
        })),
      async [Symbol.asyncDispose]() {
        await core.stop()
        await host[Symbol.asyncDispose]()
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

async function openHost(
  core: Core,
  { box, log, folders }: { box: SecretBox; log: Logger; folders: readonly string[] },
): Promise<PluginHost> {
  const states = await readPluginStates(core, box)
  const brand = await readBrand(core.database.db)
  const locations = folders.map(async (dir) => {
    // A folder without a valid manifest is passed on as well: the host reports it by name.
    const manifest = await readManifest(dir).catch(() => undefined)
    const state = states.get(manifest?.id ?? '')
    return { dir, trusted: true, enabled: state?.enabled ?? true, settings: state?.settings ?? {} }
  })
  return await createPluginHost({
    plugins: await Promise.all(locations),
    effects: pluginEffects(core, log),
    brand: { currency: brand.currency, timeZone: brand.timeZone, locale: brand.locale },
    clock: core.clock,
    onEvent: (event) => logHostEvent(log, event),
  })
}

function logHostEvent(log: Logger, event: HostEvent): void {
  if (event.type === 'settings') log.info({ plugin: event.pluginId }, 'Plugin settings changed')
  else if (event.type === 'state' && !event.error)
    log.info({ plugin: event.pluginId, state: event.state }, 'Plugin state')
  else if (event.type === 'rejected')
    log.error({ dir: event.dir, error: event.error }, 'A plugin folder holds no valid plugin')
  else log.warn({ plugin: event.pluginId, error: event.error }, 'Plugin trouble')
}
