export { routeEffects } from './effects.ts'
export type {
  EffectContext,
  EffectHandlers,
  EffectMethod,
  EffectMethods,
  Effects,
  LogEntry,
} from './effects.ts'
export { createPluginHost } from './host.ts'
export type {
  ContributionsChange,
  ContributionsListener,
  HostCallOptions,
  HostEvent,
  PluginHost,
  PluginHostOptions,
  Point,
} from './host.ts'
export { readManifest } from './manifest.ts'
export type { LoadedManifest } from './manifest.ts'
export type { PluginContributions, PluginInfo, PluginLocation, PluginState } from './plugin-record.ts'
export type { Settings } from './settings.ts'
export type { RunningFigures } from './statistics.ts'
export type { WireError } from './wire-error.ts'
