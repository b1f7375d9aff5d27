import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contributionId } from '@huitou/plugin-api'
import type { Localized, Contributions, Permissions, ResolvedManifest, Texts } from '@huitou/plugin-api'
import { CrashPolicy } from './crash-policy.ts'
import type { LoadedManifest } from './manifest.ts'
import type { Settings } from './settings.ts'
import { Statistics } from './statistics.ts'
import type { RunningFigures } from './statistics.ts'
import { toWireError } from './wire-error.ts'
import type { WireError } from './wire-error.ts'

/**
 * `enabled` is declared but not running yet: its code starts with the first call. `failed` did not start and is
 * tried again by `enable`; `quarantined` crashed three times in five minutes and stays so until `enable`.
 */
export type PluginState = 'disabled' | 'enabled' | 'activating' | 'active' | 'failed' | 'quarantined'

/** Where a plugin lies and what its owner decided about it. */
export interface PluginLocation {
  dir: string
  /** Bundled with Huitou or trusted by the owner: may share a thread with others. */
  trusted: boolean
  enabled?: boolean
  settings?: Settings
  /** What the owner granted; for a trusted plugin all that it asks for when absent. */
  grants?: Permissions
}

/** Everything the Extensions view shows of a plugin. */
export interface PluginInfo {
  id: string
  dir: string
  manifest: ResolvedManifest
  columnPrefix: string
  trusted: boolean
  state: PluginState
  error: WireError | undefined
  grants: Permissions
  settings: Settings
  running: RunningFigures
}

/** What one plugin declares, with all texts resolved. */
export interface PluginContributions {
  pluginId: string
  columnPrefix: string
  contributes: Localized<Contributions>
}

/** What the host knows of one plugin. */
export class PluginRecord {
  readonly loaded: LoadedManifest
  readonly trusted: boolean
  readonly grants: Permissions
  readonly statistics = new Statistics()
  readonly crashPolicy = new CrashPolicy()
  state: PluginState = 'disabled'
  /** Whether its declarations count, even while its code has trouble. */
  enabled = false
  error: WireError | undefined
  settings: Settings
  /** Settles when the activation under way does. */
  activation: Promise<void> | undefined
  /** Aborts when the plugin is stopped, and with it the calls under way. */
  lifetime = new AbortController()
  /** Calls under way, activation included. */
  inFlight = 0
  /** Not to be started before this time, after a crash. */
  retryAt = 0
  /** Starts that were tried; a new number makes Node read a module that failed to load once more. */
  attempts = 0

  constructor(loaded: LoadedManifest, { trusted, settings = {}, grants }: PluginLocation) {
    this.loaded = loaded
    this.trusted = trusted
    this.grants = grants ?? (trusted ? (loaded.manifest.permissions ?? {}) : {})
    this.settings = settings
    try {
      this.settings = loaded.resolveSettings(settings)
    } catch (error) {
      this.error = toWireError(error)
    }
  }

  get id(): string {
    return this.loaded.id
  }

  get contributions(): PluginContributions {
    const { id, columnPrefix, manifest } = this.loaded
    return { pluginId: id, columnPrefix, contributes: manifest.contributes ?? {} }
  }

  get dependencies(): string[] {
    return this.loaded.manifest.pluginDependencies ?? []
  }

  /** Ids it declares, by contribution point. */
  declared(): Record<string, string[]> {
    const { configuration: _, ...points } = this.loaded.manifest.contributes ?? {}
    return Object.fromEntries(
      Object.entries(points).map(([point, entries]) => [
        point,
        entries.map((entry) => contributionId(point, entry)),
      ]),
    )
  }

  info(): PluginInfo {
    const { id, trusted, state, error, grants, settings, statistics } = this
    const { dir, manifest, columnPrefix } = this.loaded
    return {
      id,
      dir,
      manifest,
      columnPrefix,
      trusted,
      state,
      error,
      grants,
      settings,
      running: statistics.figures(),
    }
  }

  /** Its readme in each language and its changelog, as Markdown. */
  async documents(): Promise<{ readme: Texts | undefined; changelog: string | undefined }> {
    const read = (name: string) => readFile(join(this.loaded.dir, name), 'utf8').catch(() => undefined)
    const [en, zh, changelog] = await Promise.all([
      read('README.md'),
      read('README.zh-CN.md'),
      read('CHANGELOG.md'),
    ])
    const any = en ?? zh
    return { readme: any === undefined ? undefined : { en: en ?? any, 'zh-CN': zh ?? any }, changelog }
  }
}
