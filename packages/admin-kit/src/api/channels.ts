import type { InferResponseType } from 'hono/client'
import { api, at, read, until } from './client.ts'

const account = api.channels.accounts[':id']

export type Channel = InferResponseType<typeof api.channels.$get>['channels'][number]
export type ChannelAccount = Channel['accounts'][number]

/** What is typed into the form of an account; a secret that is left out stays what it was. */
export interface AccountDraft {
  channel: string
  name: string
  settings: Record<string, unknown>
}

type Settings = Parameters<typeof api.channels.accounts.$post>[0]['json']['settings']

export const listChannels = (signal?: AbortSignal) => read(api.channels.$get({}, until(signal)))
/** An account with its settings; secrets stay out. */
export const getChannelAccount = (id: string, signal?: AbortSignal) =>
  read(account.$get(at(id), until(signal)))
export const createChannelAccount = ({ settings, ...draft }: AccountDraft) =>
  read(api.channels.accounts.$post({ json: { ...draft, settings: settings as Settings } }))
export const saveChannelAccount = (id: string, { settings, ...draft }: AccountDraft) =>
  read(account.$put({ ...at(id), json: { ...draft, settings: settings as Settings } }))
export const switchChannelAccount = (id: string, active: boolean) =>
  read(account.switch.$post({ ...at(id), json: { active } }))
export const deleteChannelAccount = (id: string) => read(account.$delete(at(id)))
