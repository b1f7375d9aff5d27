import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'
import { readFile, send } from './http.ts'

const one = api.plugins[':id']
const sources = api.plugins

/** A plugin as it is listed; what `getPlugin` answers has its readme and changelog besides. */
export type Plugin = InferResponseType<typeof api.plugins.$get>['plugins'][number]
export type PluginState = Plugin['state']
export type PluginSettings = InferRequestType<typeof one.settings.$put>['json']['settings']
/** Permissions as they are granted: names, or yes. */
export type PluginGrants = Plugin['grants']
/** One thing a plugin asks for, in plain words. */
export type PluginPermission = Plugin['missing'][number]
export type PluginSignature = Plugin['signature']
/** What would change if another version were put in force. */
export type PluginCandidate = InferResponseType<(typeof one.versions)[':version']['$get'], 200>
export type PluginDrift = NonNullable<InferResponseType<typeof one.shadow.$get>['drift']>
export type PluginData = InferResponseType<typeof one.data.$get, 200>
export type PluginLogEntry = InferResponseType<typeof one.log.$get, 200>['entries'][number]
export type AvailablePlugins = InferResponseType<typeof sources.available.$get, 200>
export type AvailablePlugin = AvailablePlugins['results'][number]
/** What plugins may use, as far as somebody decided. */
export type PluginBudget = NonNullable<Plugin['budget']>['own']
type KindBudgets = InferRequestType<typeof sources.budgets.$put>['json']
export type PluginRegistry = InferResponseType<typeof sources.registries.$get, 200>['registries'][number]
export type NewPluginRegistry = InferRequestType<typeof sources.registries.$post>['json']
export type PluginPublisher = InferResponseType<typeof sources.publishers.$get, 200>['publishers'][number]
export type PluginBisect = InferResponseType<typeof sources.bisect.$get, 200>
export type PluginConsent = InferRequestType<typeof one.enable.$post>['json']
export type PluginUpgrade = InferRequestType<typeof one.upgrade.$post>['json']
export type PluginInstall = InferRequestType<typeof sources.install.$post>['json']

export const listPlugins = (signal?: AbortSignal) => read(api.plugins.$get({}, until(signal)))
/** One plugin with its readme and changelog. */
export const getPlugin = (id: string, signal?: AbortSignal) => read(one.$get(at(id), until(signal)))

/** Enables with what the owner agrees to; refused with `E_CONSENT` or `E_UNSIGNED` when something is undecided. */
export const enablePlugin = (id: string, consent: PluginConsent = {}) =>
  read(one.enable.$post({ ...at(id), json: consent }))
export const disablePlugin = (id: string) => done(one.disable.$post(at(id)))
/** Lets a plugin run in the server's own process, or no longer. */
export const trustPlugin = (id: string, trusted: boolean) =>
  done(one.trust.$post({ ...at(id), json: { trusted } }))

export const getPluginSettings = (id: string, signal?: AbortSignal) =>
  read(one.settings.$get(at(id), until(signal)))
export const savePluginSettings = (id: string, settings: PluginSettings) =>
  read(one.settings.$put({ ...at(id), json: { settings } }))

export const getPluginBudgets = (signal?: AbortSignal) => read(sources.budgets.$get({}, until(signal)))
/** Of all that run in one place. */
export const savePluginBudgets = (budgets: KindBudgets) => read(sources.budgets.$put({ json: budgets }))
/** Of one alone; an empty one takes its kind's again. */
export const savePluginBudget = (id: string, budget: PluginBudget) =>
  read(one.budget.$put({ ...at(id), json: budget }))

/** Puts a version beside those that are there; none of it runs. */
export const installPlugin = (from: PluginInstall) => read(sources.install.$post({ json: from }))
/** The same with a packed plugin of this computer. */
export const uploadPlugin = (file: File, options: { acceptNewKey?: boolean } = {}) =>
  read(
    sources.upload.$post(
      { query: { file: file.name, ...(options.acceptNewKey ? { acceptNewKey: 'true' } : {}) } },
      { init: { body: file }, headers: { 'content-type': 'application/octet-stream' } },
    ),
  )
/** Installs what it needs or brings along and what is not here. */
export const installPluginCompanions = (id: string) => read(one.companions.$post(at(id)))
export const getPluginCandidate = (id: string, version: string) =>
  read(
    one.versions[':version'].$get({
      param: { id: encodeURIComponent(id), version: encodeURIComponent(version) },
    }),
  )
export const upgradePlugin = (id: string, upgrade: PluginUpgrade) =>
  read(one.upgrade.$post({ ...at(id), json: upgrade }))
export const rollBackPlugin = (id: string, version: string) =>
  read(one.rollback.$post({ ...at(id), json: { version } }))

/** Starts a job that runs another version's scorers beside the ones in force. */
export const startPluginShadow = (id: string, candidate: { version: string; allowUnsigned?: boolean }) =>
  read(one.shadow.$post({ ...at(id), json: candidate }))
export const getPluginDrift = async (id: string, signal?: AbortSignal): Promise<PluginDrift | null> =>
  (await read(one.shadow.$get(at(id), until(signal)))).drift

export const getPluginData = (id: string, signal?: AbortSignal) => read(one.data.$get(at(id), until(signal)))
export const uninstallPlugin = (id: string, data: 'keep' | 'export' | 'erase') =>
  read(one.uninstall.$post({ ...at(id), json: { data, confirm: id } }))
/** The file at an address that uninstalling answered with. */
export const readPluginExport = async (url: string) => await readFile(await send(url))

export const getPluginLog = (id: string, signal?: AbortSignal) => read(one.log.$get(at(id), until(signal)))
/** What a plugin's processor time goes to in the coming milliseconds, as a file that DevTools opens. */
export const profilePlugin = async (id: string, ms: number) =>
  await readFile(await one.profile.$post({ ...at(id), query: { ms: String(ms) } }))

export const searchPlugins = (search: string, signal?: AbortSignal) =>
  read(sources.available.$get({ query: { search } }, until(signal)))
export const getAvailablePlugin = (registry: string, name: string, signal?: AbortSignal) =>
  read(
    sources.available[':registry'][':name'].$get(
      { param: { registry: encodeURIComponent(registry), name: encodeURIComponent(name) } },
      until(signal),
    ),
  )
export const checkPluginUpdates = () => read(sources.updates.$post())

export const listPluginRegistries = (signal?: AbortSignal) => read(sources.registries.$get({}, until(signal)))
export const addPluginRegistry = (registry: NewPluginRegistry) =>
  read(sources.registries.$post({ json: registry }))
export const removePluginRegistry = (id: string) => read(sources.registries[':id'].$delete(at(id)))

export const listPluginPublishers = (signal?: AbortSignal) => read(sources.publishers.$get({}, until(signal)))
export const trustPublisher = (key: { publisher: string; publicKey: string }) =>
  read(sources.publishers.$post({ json: key }))
export const distrustPublisher = (keyId: string) =>
  read(sources.publishers[':keyId'].$delete({ param: { keyId: encodeURIComponent(keyId) } }))

export const getPluginBisect = (signal?: AbortSignal) => read(sources.bisect.$get({}, until(signal)))
export const startPluginBisect = () => read(sources.bisect.start.$post())
export const answerPluginBisect = (how: 'good' | 'bad') => read(sources.bisect[how].$post())
export const stopPluginBisect = () => read(sources.bisect.stop.$post())
