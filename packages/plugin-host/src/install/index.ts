export { defaultArchiveLimits, openArchive } from './archive.ts'
export type { ArchiveLimits, PluginArchive } from './archive.ts'
export { checkPublisher } from './publisher.ts'
export type { Candidate, PublisherRules } from './publisher.ts'
export type {
  AvailableDetails,
  AvailablePlugin,
  AvailableVersion,
  Download,
  Registry,
  RegistryCallOptions,
} from './registry.ts'
export {
  checkSignature,
  createSigningKey,
  keyIdOf,
  parsePublisherKey,
  parseSigningKey,
  signFiles,
} from './signature.ts'
export type { PublisherKey, SignatureCheck, SignatureState, SigningKey, TrustedKey } from './signature.ts'
export { PluginStore } from './store.ts'
export type {
  PackageSource,
  StagedVersion,
  StageOptions,
  StoredVersion,
  Verification,
  VerifyOptions,
} from './store.ts'
