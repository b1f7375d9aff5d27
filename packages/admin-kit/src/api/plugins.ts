import { request } from './http.ts'
import type { Localized } from './localized.ts'

export type PluginState = 'enabled' | 'disabled' | 'activating' | 'active' | 'failed' | 'quarantined'

export type JsonSchema = { readonly [keyword: string]: unknown }

export interface PluginRunning {
  activatedAt?: number | null
  activationMs?: number | null
  reason?: string | null
  calls: number
  errors: number
  p95?: number | null
}

export interface Plugin {
  id: string
  name: string
  version: string
  publisher: string
  displayName: Localized
  description: Localized
  icon?: string | null
  categories?: string[]
  license?: string | null
  state: PluginState
  error?: { code?: string; message?: string; detail?: string; hint?: string } | string | null
  bundled: boolean
  contributes?: Record<string, unknown> | null
  permissions?: Record<string, unknown> | null
  settingsSchema?: JsonSchema | null
  running?: PluginRunning | null
  readme?: Localized | string | null
  changelog?: Localized | string | null
}

const at = (id: string) => `/plugins/${encodeURIComponent(id)}`

export const listPlugins = (signal?: AbortSignal) => request<{ plugins: Plugin[] }>('/plugins', { signal })
/** One plugin with its readme and changelog. */
export const getPlugin = (id: string, signal?: AbortSignal) => request<Plugin>(at(id), { signal })
export const enablePlugin = (id: string) => request<unknown>(`${at(id)}/enable`, { method: 'POST' })
export const disablePlugin = (id: string) => request<unknown>(`${at(id)}/disable`, { method: 'POST' })
export const getPluginSettings = (id: string, signal?: AbortSignal) =>
  request<{ settings: Record<string, unknown> }>(`${at(id)}/settings`, { signal })
export const savePluginSettings = (id: string, settings: Record<string, unknown>) =>
  request<{ settings: Record<string, unknown> }>(`${at(id)}/settings`, { method: 'PUT', body: { settings } })
