import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contributionId } from '@huitou/plugin-api'
import type { Localized, Contributions, Permissions, ResolvedManifest, Texts } from '@huitou/plugin-api'
import type { Budget, IsolationKind } from './budget.ts'
import { CrashPolicy } from './crash-policy.ts'
import type { LoadedManifest } from './manifest.ts'
import type { PluginInstance } from './plugin-instance.ts'
import { PluginLog } from './plugin-log.ts'
import { fitsPlainly } from './settings.ts'
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
  /** Bundled with Huitou or trusted by the owner: runs in a thread of the server instead of a process of its own. */
  trusted: boolean
  /** Comes with Huitou: may ask to be started with the server whatever happens (`*`). */
  bundled?: boolean
  enabled?: boolean
  settings?: Settings
  /** What the owner granted; for a trusted plugin all that it asks for when absent. */
  grants?: Permissions
  /** Who and which version is expected to lie there; anything else is refused. */
  id?: string
  version?: string
  /** What it may use, where that differs from the defaults of its kind. */
  budget?: Partial<Budget>
  /** Takes up changes of its files as they are saved: for those who are writing it. */
  watch?: boolean
}

/** Everything the Extensions view shows of a plugin. */
export interface PluginInfo {
  id: string
  dir: string
  manifest: ResolvedManifest
  columnPrefix: string
  trusted: boolean
  bundled: boolean
  state: PluginState
  error: WireError | undefined
  grants: Permissions
  settings: Settings
  running: RunningFigures & RunningPlace
}

/** Where a plugin's code runs, and what it uses there. */
export interface RunningPlace {
  kind: IsolationKind
  /** Of a process of its own. */
  pid: number | undefined
  cpuMs: number | undefined
  memoryBytes: number | undefined
}

/** What one plugin declares, with all texts resolved. */
export interface PluginContributions {
  pluginId: string
  displayName: Texts
  columnPrefix: string
  contributes: Localized<Contributions>
}

/** One version of a plugin as it lies in its folder, with what its owner decided. None of its code has run. */
export class PluginVersion {
  readonly loaded: LoadedManifest
  readonly location: PluginLocation
  grants: Permissions
  /** Why its settings do not fit. */
  readonly problem: WireError | undefined
  #settings: Settings
  /** Whether defaults stand in `#settings` where nothing is set. */
  #isResolved = false

  constructor(loaded: LoadedManifest, location: PluginLocation) {
    this.loaded = loaded
    this.location = location
    const { trusted, settings = {}, grants } = location
    this.grants = grants ?? (trusted ? (loaded.manifest.permissions ?? {}) : {})
    this.#settings = settings
    try {
      this.checkSettings()
    } catch (error) {
      this.problem = toWireError(error)
    }
  }

  /** With defaults where nothing is set; as they were set when they do not fit. */
  get settings(): Settings {
    if (this.#isResolved || this.problem) return this.#settings
    try {
      this.settings = this.loaded.resolveSettings(this.#settings)
    } catch {
      // Shown when it is enabled.
    }
    return this.#settings
  }

  set settings(settings: Settings) {
    this.#settings = settings
    this.#isResolved = true
  }

  /** Throws `E_SETTINGS` when they do not fit. Looks no closer than needed: at start there are many plugins. */
  checkSettings(): void {
    const { manifest, resolveSettings } = this.loaded
    if (this.#isResolved) return
    if (fitsPlainly(manifest.contributes?.configuration, this.#settings)) return
    this.settings = resolveSettings(this.#settings)
  }

  /** How its code is kept apart. */
  get kind(): IsolationKind {
    if (this.loaded.entry === undefined) return 'none'
    return this.location.trusted ? 'worker' : 'process'
  }

  get dependencies(): string[] {
    return this.loaded.manifest.pluginDependencies ?? []
  }

  get contributions(): PluginContributions {
    const { id, columnPrefix, manifest } = this.loaded
    return {
      pluginId: id,
      displayName: manifest.displayName,
      columnPrefix,
      contributes: manifest.contributes ?? {},
    }
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
}

/** What the host knows of one plugin. */
export class PluginRecord {
  readonly id: string
  readonly statistics = new Statistics()
  readonly crashPolicy = new CrashPolicy()
  readonly log = new PluginLog()
  /** The version that counts; another takes its place when the plugin is replaced. */
  version: PluginVersion
  /** The code that runs, while the plugin is active or about to be. */
  instance: PluginInstance | undefined
  state: PluginState = 'disabled'
  /** Whether its declarations count, even while its code has trouble. */
  enabled = false
  error: WireError | undefined
  /** Settles when the activation under way does. */
  activation: Promise<void> | undefined
  /** Not to be started before this time, after a crash. */
  retryAt = 0

  constructor(version: PluginVersion) {
    this.id = version.loaded.id
    this.version = version
    this.error = version.problem
  }

  get loaded(): LoadedManifest {
    return this.version.loaded
  }

  get settings(): Settings {
    return this.version.settings
  }

  info(): PluginInfo {
    const { id, state, error, instance, version, statistics } = this
    const { loaded, location, grants } = version
    const { dir, manifest, columnPrefix } = loaded
    return {
      id,
      dir,
      manifest,
      columnPrefix,
      trusted: location.trusted,
      bundled: location.bundled ?? false,
      state,
      error,
      grants,
      // Worked out when looked at: at start nobody does.
      get settings() {
        return version.settings
      },
      running: {
        ...statistics.figures(),
        kind: version.kind,
        pid: instance?.pid,
        cpuMs: instance?.usage?.cpuMs,
        memoryBytes: instance?.usage?.memoryBytes,
      },
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
