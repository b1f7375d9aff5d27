export { answerBisect, startBisect } from './bisect.ts'
export type { Bisect, Dependencies } from './bisect.ts'
export { defaultBudgets } from './budget.ts'
export type { Budget, Budgets, IsolationKind } from './budget.ts'
export { findLoop } from './dependency-loop.ts'
export { needsOf } from './broker.ts'
export type { Need } from './broker.ts'
export { routeEffects } from './effects.ts'
export type {
  EffectContext,
  EffectHandlers,
  EffectMethod,
  EffectMethods,
  Effects,
  FetchAnswer,
  LogEntry,
} from './effects.ts'
export { fitsHost, namesLiterally } from './host-pattern.ts'
export { createPluginHost } from './host.ts'
export type { PluginHost } from './host.ts'
export type {
  ContributionsChange,
  ContributionsListener,
  HostCallOptions,
  HostEvent,
  PluginHostOptions,
  Point,
} from './host-options.ts'
export { checkEngine, readManifest } from './manifest.ts'
export type { LoadedManifest } from './manifest.ts'
export { PluginFetch } from './plugin-fetch.ts'
export type { PluginLogEntry } from './plugin-log.ts'
export type { PluginContributions, PluginInfo, PluginLocation, PluginState } from './plugin-record.ts'
export type { Candidate, ReplaceOptions } from './replace.ts'
export type { FindRunnerCommand, RunnerCommand } from './runner-command.ts'
export { watchFolder } from './reload-watch.ts'
export type { Settings } from './settings.ts'
export type { RunningFigures } from './statistics.ts'
export type { WireError } from './wire-error.ts'
