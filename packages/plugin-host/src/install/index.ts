export { defaultArchiveLimits, openArchive } from './archive.ts'
export type { ArchiveLimits, PluginArchive } from './archive.ts'
export { describeArchive, newestCompatible } from './describe.ts'
export { npmRegistry } from './npm-registry.ts'
export type { NpmRegistryOptions } from './npm-registry.ts'
export { packPlugin, signArchive, signFolder } from './pack.ts'
export type { PackedPlugin } from './pack.ts'
export type { PackWarning } from './pack-warnings.ts'
export { writeIndex } from './plugin-index.ts'
export type { IndexedVersion, IndexProblem, PluginIndex } from './plugin-index.ts'
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
export { folderRegistry, webRegistry } from './static-registries.ts'
export type { WebRegistryOptions } from './static-registries.ts'
export { PluginStore } from './store.ts'
export type {
  PackageSource,
  StagedVersion,
  StageOptions,
  StoredVersion,
  Verification,
  VerifyOptions,
} from './store.ts'
