import type { Contributions, LocalizedText } from './contributions.ts'
import type { Localized } from './localized.ts'
import type { Permissions } from './permissions.ts'

/** Version of the plugin API that this package describes; `engines.huitou` is a range over it. */
export const apiVersion = '0.2.0'

/** Parts of the API that may still change from version to version and are switched on by name. */
export type ApiProposal = 'tasks' | 'jobs' | 'ai'

/** A plugin's `package.json`, the part that Huitou reads. */
export interface Manifest {
  publisher: string
  /** npm name; the scope is not part of the plugin's id. */
  name: string
  version: string
  engines: { huitou: string }
  displayName: LocalizedText
  description: LocalizedText
  /** Lucide icon name or a file in the package. */
  icon?: string
  categories?: string[]
  /** How its page in the Extensions view looks. */
  galleryBanner?: { color?: string; theme?: 'dark' | 'light' }
  /** Shown as a preview: it works, and may change. */
  preview?: boolean
  license?: string
  /** ESM entry; absent for a plugin that only declares. */
  main?: string
  /** Only what `contributes` does not imply: `onStartupFinished`, `onEvent:<glob>`, `onSchedule:<cron>`. */
  activationEvents?: string[]
  contributes?: Contributions
  permissions?: Permissions
  /** Plugins it needs: they are enabled and active before it. */
  pluginDependencies?: string[]
  /** Plugins that are installed along with it. */
  pluginPack?: string[]
  /** Plugins whose columns, collections and settings it takes over. */
  replaces?: string[]
  enabledApiProposals?: ApiProposal[]
}

/** A manifest as the host hands it out: every text a person reads stands there in each language. */
export type ResolvedManifest = Localized<Manifest>

/** Plugin id: `publisher.name`, without the npm scope. */
export function pluginId(manifest: Pick<Manifest, 'publisher' | 'name'>): string {
  return `${manifest.publisher}.${manifest.name.replace(/^@[^/]+\//, '')}`
}

/** Prefix of the plugin's columns: the name without scope, `-` as `_`. */
export function columnPrefix(manifest: Pick<Manifest, 'name'>): string {
  return manifest.name.replace(/^@[^/]+\//, '').replaceAll('-', '_')
}
