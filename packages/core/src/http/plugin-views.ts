import type { Permissions } from '@huitou/plugin-api'
import type { PluginOnNode } from '../nodes/queries.ts'
import type { NodeRole } from '../nodes/tables.ts'
import type { PluginSignature } from '../plugin-states/queries.ts'
import type { PluginPublisher, PluginRegistry } from '../plugin-states/sources.ts'
import type { Text } from '../points/points.ts'

export type PluginState = 'disabled' | 'enabled' | 'activating' | 'active' | 'failed' | 'quarantined'

export interface PluginError {
  code: string
  message: string
  hint?: string | undefined
}

/** One thing a plugin asks for, in words that an owner understands. */
export interface PermissionEntry {
  permission: string
  /** What it names: columns, hosts, types of event. Empty for a permission that is given or not. */
  names: string[]
  title: Text
  description: Text
  /** The version that asks for it first; absent when every version so far did. */
  since?: string
}

/** What a plugin may use, as far as somebody decided. */
export interface PluginBudget {
  /** MiB in all; half of it for JavaScript objects. */
  memoryMb?: number | undefined
  /** Share of one core while nobody calls it. */
  idleCpuShare?: number | undefined
  /** Milliseconds that a call may take; where nobody decided, scores and reports have deadlines of their own. */
  deadlineMs?: number | undefined
}

/** What plugins may use by where they run: in a thread of the server, or in a process of their own. */
export interface KindBudgets {
  worker: PluginBudget
  process: PluginBudget
}

/** What a plugin may use, and what of that was decided for it alone. */
export interface PluginBudgetView {
  memoryMb: number
  idleCpuShare: number
  deadlineMs: number
  own: PluginBudget
}

/** Another plugin that a plugin needs, or that it brings along. */
export interface PluginCompanion {
  id: string
  relation: 'needs' | 'brings'
  state: 'on' | 'off' | 'missing'
}

/** How a plugin is on one of several servers; `absent` where it has not come to. */
export interface PluginNode extends Omit<PluginOnNode, 'state'> {
  id: string
  host: string
  role: NodeRole
  state: PluginOnNode['state'] | 'absent'
}

/** What the Extensions view shows of a plugin. */
export interface PluginView {
  id: string
  name: string
  publisher: string
  version: string
  displayName: Text
  description: Text
  icon: string | null
  categories: string[]
  license: string | null
  /** `bundled` and `trusted` share a thread of the server, `sandboxed` has a process of its own. */
  kind: 'bundled' | 'trusted' | 'sandboxed'
  bundled: boolean
  source:
    | { kind: 'bundled' }
    | { kind: 'folder'; path: string }
    | { kind: 'registry'; registry: string; name: string }
    | { kind: 'upload'; file: string | null }
  /** What runs from a folder is vouched for by whoever named the folder. */
  signature: Omit<PluginSignature, 'state'> & { state: PluginSignature['state'] | 'folder' }
  state: PluginState
  error: PluginError | null
  /** Why the last upgrade was taken back. */
  fault: (PluginError & { at: number }) | null
  contributes: Record<string, unknown>
  permissions: Permissions
  grants: Permissions
  /** Asked for and not granted. */
  missing: PermissionEntry[]
  /** Whether the owner decided about the version in force: enabling it asks nothing. */
  decided: boolean
  /** Permissions that the version in force made use of, and when it did so first. */
  used: { permission: string; at: number }[]
  settingsSchema: Record<string, unknown> | null
  /** Newest first. */
  versions: { version: string; installedAt: number; active: boolean }[]
  update: { version: string; newPermissions: PermissionEntry[] } | null
  /** What it needs and what it brings along, and in turn what those do. */
  companions: PluginCompanion[]
  installedAt: number | null
  /** How it is on each of several servers; empty where there is one. */
  nodes: PluginNode[]
  /** Null when nothing of it runs here. */
  budget: PluginBudgetView | null
  running: {
    activatedAt: number | null
    activationMs: number | null
    reason: string | null
    calls: number
    errors: number
    p95: number | null
    restarts: number
    cpuMs: number | null
    memoryBytes: number | null
    kind: 'worker' | 'process' | 'none'
    pid: number | null
    lastError: PluginError | null
  }
}

/** What would change if another version that lies here were put in force. */
export interface PluginCandidate {
  version: string
  signature: PluginSignature
  /** Whether the owner let it run although nobody vouches for it. */
  allowed: boolean
  /** Asked for, and nobody has decided about it. */
  newPermissions: PermissionEntry[]
  /** Asked for by the version in force and no longer. */
  dropped: PermissionEntry[]
  /** Granted before and asked for still. */
  kept: Permissions
  contributes: Record<string, unknown>
}

/** A plugin that was uninstalled and whose data was kept for when it comes back. */
export interface KeptPlugin {
  id: string
  version: string | null
}

export interface PluginDocuments {
  readme: Text | null
  changelog: string | null
}

/** A plugin found in a registry. */
export interface AvailablePlugin {
  registry: string
  /** Name in the registry; what `install` takes. */
  name: string
  id: string
  version: string
  displayName: Text
  description: Text
  publisher: string
  icon: string | null
  /** Version that is installed here. */
  installed: string | null
}

export interface AvailablePluginDetails extends AvailablePlugin {
  readme: Text | null
  changelog: string | null
  categories: string[]
  license: string | null
  /** Of the newest version, before anybody's trust in its key is looked at. */
  signature: PluginSignature
  packedBytes: number
  contributes: Record<string, unknown>
  permissions: PermissionEntry[]
  /** Newest first. */
  versions: { version: string; publishedAt: number | null }[]
}

export interface AvailablePlugins {
  results: AvailablePlugin[]
  /** Registries that gave no answer. The others did. */
  problems: { registry: string; code: string; message: string }[]
}

/** How a candidate version's scores differ from those of the version in force. */
export interface PluginDrift {
  version: string
  against: string
  at: number
  customers: number
  columns: ColumnDrift[]
  /** Scorers that could not be compared, and why. */
  problems: { id: string; message: string }[]
}

export interface ColumnDrift {
  column: string
  title: Text
  rows: number
  changed: number
  /** Changed of all rows, 0 to 1. */
  share: number
  /** Null for texts and labels, and where there is nothing. */
  meanBefore: number | null
  meanAfter: number | null
  /** How labels moved, the most frequent first; only changes. */
  transitions: { from: string | null; to: string | null; count: number }[]
  examples: { customerId: number; before: string | number | null; after: string | number | null }[]
}

/** What a plugin owns here, and what becomes of it is asked when it is uninstalled. */
export interface PluginData {
  columns: { name: string; title: Text; kind: string; customers: number }[]
  collections: { id: string; records: number }[]
  storageBytes: number
  /** Keys that are set; secrets among them. */
  settings: string[]
  /** Installed plugins that need this one. */
  dependents: string[]
}

export interface PluginLogEntry {
  at: number
  level: 'info' | 'warn' | 'error'
  /** `plugin`: through `huitou.log`; `output`: written to its console; `host`: about it. */
  source: 'plugin' | 'output' | 'host'
  message: string
  facts?: object | undefined
}

/** The search for the plugin behind a problem: some suspects are on at a time, and somebody says whether it is there. */
export interface BisectView {
  /**
   * `searching`: look whether the problem is there, and answer. `found`: it is `culprit`. `not-a-plugin`: it stays
   * with every suspect off. `together`: no plugin causes it alone.
   */
  state: 'idle' | 'searching' | 'found' | 'not-a-plugin' | 'together'
  step: number
  /** Answers that it takes at most, this one included. */
  left: number
  suspects: string[]
  on: string[]
  off: string[]
  culprit: string | null
}

export type RegistryView = Omit<PluginRegistry, 'options'> & {
  options: {
    url?: string | undefined
    path?: string | undefined
    scope?: string | undefined
    hasToken: boolean
  }
}

export interface NewRegistry {
  id: string
  kind: 'npm' | 'folder' | 'web'
  title: string
  url?: string | undefined
  path?: string | undefined
  scope?: string | undefined
  token?: string | undefined
}

export interface UploadOptions {
  /** Name of the file, to be shown. */
  file?: string | undefined
  /** Takes a version signed by another key than the one before it. */
  acceptNewKey?: boolean | undefined
}

export interface InstallOptions {
  registry: string
  name: string
  version?: string | undefined
  acceptNewKey?: boolean | undefined
}

export interface ConsentOptions {
  /** What is granted: all that is asked, or a part. What is left out fails when it is used. */
  grants?: 'all' | Permissions | undefined
  /** Run it although nobody we trust vouches for it. */
  allowUnsigned?: boolean | undefined
  /**
   * Plugins to enable along with it, and what is agreed to for each: what it needs that is off in any case, of what it
   * brings along those that stand here. Absent: it alone.
   */
  companions?: Record<string, Omit<ConsentOptions, 'companions'>> | undefined
}

export interface UpgradeOptions extends ConsentOptions {
  registry?: string | undefined
  version?: string | undefined
  acceptNewKey?: boolean | undefined
}

/**
 * What the HTTP app may do with plugins; the server puts the plugin host behind it. `by` is the id of the user,
 * for the audit log.
 */
export interface PluginAdmin {
  list(): Promise<PluginView[]>
  /** Uninstalled plugins whose data is still here; `data` and `uninstall` take their ids as well. */
  kept(): Promise<KeptPlugin[]>
  get(id: string): Promise<PluginView>
  documents(id: string): Promise<PluginDocuments>
  /** Settings as stored; secrets are left out. */
  settings(id: string): Record<string, unknown>
  setSettings(id: string, settings: Record<string, unknown>, by?: string): Promise<void>

  enable(id: string, options?: ConsentOptions, by?: string): Promise<void>
  disable(id: string, by?: string): Promise<void>
  trust(id: string, trusted: boolean, by?: string): Promise<void>

  search(text: string, signal: AbortSignal): Promise<AvailablePlugins>
  details(registry: string, name: string): Promise<AvailablePluginDetails>
  install(from: InstallOptions, by?: string): Promise<PluginView>
  /** Installs what a plugin needs or brings along and what is not here, from whichever registry has it. */
  installCompanions(id: string, by?: string): Promise<PluginView>
  upload(archive: Uint8Array, options: UploadOptions, by?: string): Promise<PluginView>
  upgrade(id: string, options: UpgradeOptions, by?: string): Promise<PluginView>
  rollback(id: string, version: string, by?: string): Promise<PluginView>
  checkUpdates(): Promise<{ checked: number; updates: number; problems: AvailablePlugins['problems'] }>
  shadow(
    id: string,
    candidate: { version: string; allowUnsigned?: boolean | undefined },
    by?: string,
  ): Promise<{ jobId: string }>
  drift(id: string): Promise<PluginDrift | null>
  candidate(id: string, version: string): Promise<PluginCandidate>
  data(id: string): Promise<PluginData>
  uninstall(id: string, data: 'keep' | 'export' | 'erase', by?: string): Promise<{ export: string | null }>
  /** Path of a file that `uninstall` wrote. */
  exportFile(name: string): string

  budgets: {
    /** What was decided, and what holds where nothing was. */
    view(): { set: KindBudgets; defaults: Record<keyof KindBudgets, Omit<PluginBudgetView, 'own'>> }
    setKinds(kinds: KindBudgets, by?: string): Promise<void>
    set(id: string, budget: PluginBudget, by?: string): Promise<void>
  }

  log(id: string): PluginLogEntry[]
  /** A CPU profile that DevTools opens, as JSON text. */
  profile(id: string, ms: number): Promise<string>
  bisect: {
    view(): Promise<BisectView>
    start(by?: string): Promise<BisectView>
    /** `good`: the problem is gone. `bad`: it is still there. */
    answer(how: 'good' | 'bad', by?: string): Promise<BisectView>
    stop(by?: string): Promise<BisectView>
  }

  registries(): Promise<RegistryView[]>
  addRegistry(registry: NewRegistry, by?: string): Promise<void>
  removeRegistry(id: string, by?: string): Promise<void>
  publishers(): Promise<PluginPublisher[]>
  addPublisher(publisher: { publisher: string; publicKey: string }, by?: string): Promise<void>
  removePublisher(keyId: string, by?: string): Promise<void>
}
