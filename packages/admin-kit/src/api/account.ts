import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'
import { postJson } from './http.ts'

export type Setup = InferResponseType<typeof api.setup.$get>
export type Me = InferResponseType<typeof api.me.$get>
export type NewOwner = InferRequestType<typeof api.setup.owner.$post>['json']
export type Settings = InferResponseType<typeof api.settings.$get>
export type SettingsChange = InferRequestType<typeof api.settings.$put>['json']
/** A key as it is listed; in clear only in the answer that created it. */
export type WriteKey = InferResponseType<(typeof api.settings)['write-keys']['$get']>['writeKeys'][number]

/** Keys that personal data is sealed with, and how far a change of them is. */
export type PersonalKeys = InferResponseType<(typeof api.settings)['personal-keys']['$get']>

/** Shortest password the server takes. */
export const passwordMinimum = 10

export const getSetup = (signal?: AbortSignal) => read(api.setup.$get({}, until(signal)))
export const createOwner = (owner: NewOwner) => read(api.setup.owner.$post({ json: owner }))
export const loadDemo = () => read(api.demo.$post())
export const passDemoDays = (days: number) => read(api.demo.pass.$post({ json: { days } }))
export const getMe = (signal?: AbortSignal) => read(api.me.$get({}, until(signal)))
export const signOut = () => postJson('/api/auth/sign-out', {})
export const getSettings = (signal?: AbortSignal) => read(api.settings.$get({}, until(signal)))
export const saveSettings = (settings: SettingsChange) => read(api.settings.$put({ json: settings }))
export const readPersonalKeys = (signal?: AbortSignal) =>
  read(api.settings['personal-keys'].$get({}, until(signal)))
export const rotatePersonalKeys = () => read(api.settings['personal-keys'].rotate.$post())
export const listWriteKeys = (signal?: AbortSignal) =>
  read(api.settings['write-keys'].$get({}, until(signal)))
export const createWriteKey = (name: string) => read(api.settings['write-keys'].$post({ json: { name } }))
export const revokeWriteKey = (id: string) => done(api.settings['write-keys'][':id'].$delete(at(id)))
