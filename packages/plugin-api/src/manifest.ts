import type { Contributions, LocalizedText } from './contributions.ts'
import type { Localized } from './localized.ts'

/** Version of the plugin API that this package describes; `engines.huitou` is a range over it. */
export const apiVersion = '0.1.0'

/** What a plugin asks to be allowed. Everything not listed is refused with `E_PERMISSION`. */
export interface Permissions {
  /** Profile columns it may read; `<plugin>_*` reads all of one plugin. */
  'profile.read'?: string[]
  /** Traits holding personal data it may read in clear. */
  'profile.pii'?: string[]
  'events.read'?: string[]
  'events.append'?: string[]
  network?: string[]
  secrets?: boolean
  schedule?: boolean
}

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
  license?: string
  /** ESM entry; absent for a plugin that only declares. */
  main?: string
  activationEvents?: string[]
  contributes?: Contributions
  permissions?: Permissions
  pluginDependencies?: string[]
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
