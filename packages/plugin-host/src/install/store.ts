import type { ResolvedManifest } from '@huitou/plugin-api'
import type { SignatureCheck } from './signature.ts'

/** Where a package came from: a registry's id, `upload`, or a path. */
export type PackageSource = string

/** A version that lies in the store. */
export interface StoredVersion {
  id: string
  version: string
  /** Absolute; what the host gets as `PluginLocation.dir`. */
  dir: string
  /** Of all files, `sha256-…`; the same on every node. */
  digest: string
  /** Of the archive it came from, `sha512-…`. */
  integrity: string
  source: PackageSource
  /** Epoch ms. */
  installedAt: number
  files: number
  bytes: number
  /** As found when it was put there; `PluginStore.verify` says how it is now. */
  signature: SignatureCheck
}

export interface StagedVersion extends StoredVersion {
  manifest: ResolvedManifest
}

export interface Verification {
  /** `broken` as well when an unsigned version's files are not those that were installed. */
  signature: SignatureCheck
  /** Whether files and digest are those that were installed. */
  intact: boolean
  /** Paths that differ from what was installed; at most 20 each. */
  changed: string[]
  added: string[]
  missing: string[]
}
