import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'

const one = api.plugins[':id']

/** A plugin as it is listed; what `getPlugin` answers has its readme and changelog besides. */
export type Plugin = InferResponseType<typeof api.plugins.$get>['plugins'][number]
export type PluginState = Plugin['state']
export type PluginSettings = InferRequestType<typeof one.settings.$put>['json']['settings']

export const listPlugins = (signal?: AbortSignal) => read(api.plugins.$get({}, until(signal)))
/** One plugin with its readme and changelog. */
export const getPlugin = (id: string, signal?: AbortSignal) => read(one.$get(at(id), until(signal)))
export const enablePlugin = (id: string) => done(one.enable.$post({ ...at(id), json: {} }))
export const disablePlugin = (id: string) => done(one.disable.$post(at(id)))
export const getPluginSettings = (id: string, signal?: AbortSignal) =>
  read(one.settings.$get(at(id), until(signal)))
export const savePluginSettings = (id: string, settings: PluginSettings) =>
  read(one.settings.$put({ ...at(id), json: { settings } }))
