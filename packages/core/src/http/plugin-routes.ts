import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { audit } from '../people/audit.ts'
import type { Text } from '../points/points.ts'
import { requireRole, type SignedIn } from './env.ts'
import type { LiveTopics } from './live.ts'
import { validate } from './validate.ts'

export type PluginState = 'disabled' | 'enabled' | 'activating' | 'active' | 'failed' | 'quarantined'

/** What the Extensions view shows of a plugin. */
export interface PluginView {
  id: string
  name: string
  publisher: string
  version: string
  displayName: Text
  description: Text
  icon: string | null
  categories: string[]
  license: string | null
  bundled: boolean
  state: PluginState
  error: { code: string; message: string; hint?: string | undefined } | null
  contributes: Record<string, unknown>
  permissions: Record<string, unknown>
  settingsSchema: Record<string, unknown> | null
  running: {
    activatedAt: number | null
    activationMs: number | null
    reason: string | null
    calls: number
    errors: number
    p95: number | null
  }
}

/** What the HTTP app may do with plugins; the server puts the plugin host behind it. */
export interface PluginAdmin {
  list(): PluginView[]
  get(id: string): PluginView
  documents(id: string): Promise<{ readme: Text | null; changelog: string | null }>
  enable(id: string): Promise<void>
  disable(id: string): Promise<void>
  /** Settings as stored; secrets are left out. */
  settings(id: string): Record<string, unknown>
  setSettings(id: string, settings: Record<string, unknown>): Promise<void>
}

export interface PluginDeps extends Pick<CoreContext, 'database' | 'clock'> {
  plugins: PluginAdmin
  live: LiveTopics
}

/** Mounted at `/api/plugins`. */
export function pluginRoutes({ database, clock, plugins, live }: PluginDeps) {
  const note = async (userId: string, action: string, subject: string) => {
    await audit(database.db, clock, { userId, action, subject })
    live.announce('plugins')
  }
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags: ['plugins'], summary: 'Installed plugins' }), (c) =>
      c.json({ plugins: plugins.list() }),
    )
    .get(
      '/:id',
      describeRoute({ tags: ['plugins'], summary: 'One plugin with its documents' }),
      async (c) => {
        const id = c.req.param('id')
        return c.json({ ...plugins.get(id), ...(await plugins.documents(id)) })
      },
    )
    .post(
      '/:id/enable',
      describeRoute({ tags: ['plugins'], summary: 'Enable' }),
      requireRole(),
      async (c) => {
        await plugins.enable(c.req.param('id'))
        await note(c.get('user').id, 'plugin.enable', c.req.param('id'))
        return c.json(plugins.get(c.req.param('id')))
      },
    )
    .post(
      '/:id/disable',
      describeRoute({ tags: ['plugins'], summary: 'Disable' }),
      requireRole(),
      async (c) => {
        await plugins.disable(c.req.param('id'))
        await note(c.get('user').id, 'plugin.disable', c.req.param('id'))
        return c.json(plugins.get(c.req.param('id')))
      },
    )
    .get('/:id/settings', describeRoute({ tags: ['plugins'], summary: 'Settings' }), (c) =>
      c.json({
        settings: plugins.settings(c.req.param('id')) as Record<
          string,
          string | number | boolean | null | object
        >,
      }),
    )
    .put(
      '/:id/settings',
      describeRoute({ tags: ['plugins'], summary: 'Change settings' }),
      requireRole(),
      validate('json', z.object({ settings: z.record(z.string(), z.json()) })),
      async (c) => {
        const id = c.req.param('id')
        await plugins.setSettings(id, c.req.valid('json').settings)
        await note(c.get('user').id, 'plugin.settings', id)
        return c.json({
          settings: plugins.settings(id) as Record<string, string | number | boolean | null | object>,
        })
      },
    )
}
