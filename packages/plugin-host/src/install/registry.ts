import { AppError } from '@huitou/plugin-api'
import type { ResolvedManifest, Texts } from '@huitou/plugin-api'
import type { PluginArchive } from './archive.ts'
import type { SignatureCheck } from './signature.ts'

export interface RegistryCallOptions {
  signal?: AbortSignal
}

/** One plugin in a list of search results. */
export interface AvailablePlugin {
  /** npm name, what `details` and `download` take. */
  name: string
  /** `publisher.name` */
  id: string
  publisher: string
  /** The newest version that is no pre-release. */
  version: string
  displayName: Texts
  description: Texts
  /** Lucide icon name; a file of the package is not shown before it is installed. */
  icon?: string
  categories: string[]
  /** Range of the plugin API it needs. */
  engine: string
}

export interface AvailableVersion {
  version: string
  /** ISO 8601. */
  publishedAt?: string
  /** Range of the plugin API it needs; absent when the registry does not say. */
  engine?: string
  deprecated?: string
}

/** Everything the details page shows before a plugin is installed. */
export interface AvailableDetails extends AvailablePlugin {
  manifest: ResolvedManifest
  /** Newest first. */
  versions: AvailableVersion[]
  readme: Texts | undefined
  changelog: string | undefined
  /** Against an empty trust list: who signed, never `trusted`. */
  signature: SignatureCheck
  packedBytes: number
  unpackedBytes: number
}

export interface Download {
  name: string
  version: string
  bytes: Uint8Array
  /** `sha512-…`, checked against what the registry states. */
  integrity: string
  /** `bytes`, opened. */
  archive: PluginArchive
}

/** A place that plugins are found in. Every failure is an `AppError` with a code `E_REGISTRY…`. */
export interface Registry {
  readonly id: string
  readonly title: string
  /** Plugins that `text` finds, all of them for an empty text; at most 50. */
  search(text: string, options?: RegistryCallOptions): Promise<AvailablePlugin[]>
  /** Throws `E_NOT_FOUND` for a name that it does not hold. */
  details(name: string, options?: RegistryCallOptions & { version?: string }): Promise<AvailableDetails>
  /** `version` is exact, or a tag such as `latest`. */
  download(name: string, version: string, options?: RegistryCallOptions): Promise<Download>
}

/** `archive`, when it is what was asked for; a registry that hands out another package is `E_REGISTRY_ANSWER`. */
export function checkedPackage(
  archive: PluginArchive,
  wanted: { name: string; version: string },
): PluginArchive {
  if (archive.name === wanted.name && archive.version === wanted.version) return archive
  throw new AppError(
    'world',
    'E_REGISTRY_ANSWER',
    `The registry gave ${archive.name} ${archive.version} for ${wanted.name} ${wanted.version}`,
    { hint: 'Do not install it; tell who runs the registry.' },
  )
}
