export type { ArchiveLimits, PluginArchive } from './archive.ts'
export type {
  AvailableDetails,
  AvailablePlugin,
  AvailableVersion,
  Download,
  Registry,
  RegistryCallOptions,
} from './registry.ts'
export type { SignatureCheck, SignatureState, TrustedKey } from './signature.ts'
export type { PackageSource, StagedVersion, StoredVersion, Verification } from './store.ts'
