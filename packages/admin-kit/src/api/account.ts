import { request } from './http.ts'

export interface Setup {
  needsOwner: boolean
  hasData: boolean
  demo: boolean
  version: string
}

export interface Me {
  id: string
  name: string
  email: string
  role: string
  locale?: string
}

export interface NewOwner {
  name: string
  email: string
  password: string
  locale: string
}

export interface Settings {
  brandName: string
  currency: string
  timeZone: string
  locale: string
}

export interface WriteKey {
  id: string
  name: string
  createdAt: number
  lastUsedAt?: number | null
  /** In clear only in the answer that created it. */
  key?: string
  /** Last four characters, to recognise it by. */
  tail: string
}

export const getSetup = (signal?: AbortSignal) => request<Setup>('/setup', { signal })
export const createOwner = (owner: NewOwner) => request<unknown>('/setup/owner', { body: owner })
export const loadDemo = () => request<{ jobId: string }>('/demo', { method: 'POST' })
export const getMe = (signal?: AbortSignal) => request<Me>('/me', { signal })
export const signIn = (email: string, password: string) =>
  request<unknown>('/auth/sign-in/email', { body: { email, password, rememberMe: true } })
export const signOut = () => request<unknown>('/auth/sign-out', { body: {} })
export const getSettings = (signal?: AbortSignal) => request<Settings>('/settings', { signal })
/** Shortest password the server takes. */
export const passwordMinimum = 10

export const saveSettings = (settings: Partial<Settings>) => request<Settings>('/settings', { method: 'PUT', body: settings })
export const listWriteKeys = (signal?: AbortSignal) =>
  request<{ writeKeys: WriteKey[] }>('/settings/write-keys', { signal })
export const createWriteKey = (name: string) => request<WriteKey>('/settings/write-keys', { body: { name } })
export const revokeWriteKey = (id: string) =>
  request<void>(`/settings/write-keys/${encodeURIComponent(id)}`, { method: 'DELETE' })
