import type { PluginView } from '@huitou/core'
import { packTestPlugin, type TestPlugin } from './plugin-package.ts'

export type Call = (path: string, init?: RequestInit) => Promise<Response>

/** What the API answered; tests look into it as it comes. */
export interface Answered {
  status: number
  body: any
}

/** Sends a change to `/api/plugins…`. */
export async function post(call: Call, route: string, body: unknown = {}): Promise<Answered> {
  const answer = await call(`/api/plugins${route}`, { method: 'POST', body: JSON.stringify(body) })
  return { status: answer.status, body: await answer.json() }
}

export async function get(call: Call, route: string): Promise<any> {
  return await (await call(`/api/plugins${route}`)).json()
}

/** Packs a plugin and uploads it. */
export async function upload(call: Call, plugin: TestPlugin, query = ''): Promise<Answered> {
  const body = await packTestPlugin(plugin)
  const answer = await call(`/api/plugins/upload${query}`, { method: 'POST', body })
  return { status: answer.status, body: await answer.json() }
}

export async function view(call: Call, id = 'acme.tea'): Promise<PluginView & { code?: string }> {
  return await get(call, `/${id}`)
}
