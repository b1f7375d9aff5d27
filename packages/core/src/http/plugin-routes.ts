import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import { answerJson } from './answer.ts'
import { requirePermission } from '../people/authorize.ts'
import type { SignedIn } from './env.ts'
import { pluginBudgetRoutes } from './plugin-budget-routes.ts'
import { pluginSourceRoutes } from './plugin-source-routes.ts'
import type { PluginAdmin } from './plugin-views.ts'
import { validate } from './validate.ts'

export interface PluginDeps {
  plugins: PluginAdmin
}

const about = (summary: string) => describeRoute({ tags: ['plugins'], summary })

const Names = z.array(z.string().min(1).max(200)).max(500)
const Grants = z
  .strictObject({
    'profile.read': Names,
    'profile.pii': Names,
    'events.read': Names,
    'events.append': Names,
    'customers.tag': z.boolean(),
    'deliveries.send': Names,
    network: Names,
    collections: Names,
    'tasks.create': z.boolean(),
    secrets: z.boolean(),
    schedule: z.boolean(),
    ai: z.boolean(),
  })
  .partial()
const Consent = z.object({
  grants: z.union([z.literal('all'), Grants]).optional(),
  allowUnsigned: z.boolean().optional(),
})
const ConsentToAll = Consent.extend({ companions: z.record(z.string().max(200), Consent).optional() })
const Version = z.string().min(1).max(80)
const Install = z.object({
  registry: z.string().min(1).max(80),
  name: z.string().min(1).max(214),
  version: Version.optional(),
  acceptNewKey: z.boolean().optional(),
})
const Upload = z.object({ file: z.string().max(255).optional(), acceptNewKey: z.stringbool().optional() })
const Upgrade = Consent.extend({
  registry: z.string().min(1).max(80).optional(),
  version: Version.optional(),
  acceptNewKey: z.boolean().optional(),
})
const Uninstall = z.object({ data: z.enum(['keep', 'export', 'erase']), confirm: z.string() })
const Profile = z.object({ ms: z.coerce.number().int().min(100).max(30_000).default(5_000) })

/** Longest archive that may be uploaded. */
const ARCHIVE_LIMIT = 20_000_000

/** Mounted at `/api/plugins`. Changes are the owner's; whoever develops may look inside. */
export function pluginRoutes({ plugins }: PluginDeps) {
  return new Hono<SignedIn>()
    .route('/', pluginSourceRoutes(plugins))
    .route('/', pluginBudgetRoutes(plugins))
    .route('/', installRoutes(plugins))
    .route('/', stateRoutes(plugins))
    .route('/', versionRoutes(plugins))
    .route('/', insideRoutes(plugins))
}

function installRoutes(plugins: PluginAdmin) {
  return new Hono<SignedIn>()
    .post(
      '/upload',
      describeRoute({
        tags: ['plugins'],
        summary: 'Install from a file: the .tgz that `huitou plugin pack` makes, as the body',
        requestBody: {
          content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
        },
      }),
      bodyLimit({
        maxSize: ARCHIVE_LIMIT,
        onError: () => {
          throw userError('E_ARCHIVE_TOO_LARGE', 'A plugin may have 20 MB, packed', { status: 413 })
        },
      }),
      validate('query', Upload),
      async (c) => {
        const bytes = new Uint8Array(await c.req.arrayBuffer())
        if (bytes.length === 0)
          throw userError('E_FILE_EMPTY', 'The request has no body', { hint: 'Send the file as the body.' })
        const choice = c.req.valid('query')
        if (choice.acceptNewKey) requirePermission(c.get('user'), 'plugins.trust')
        const view = await plugins.upload(bytes, choice, c.get('user').id)
        return answerJson(c, view, 201)
      },
    )
    .post(
      '/install',
      about('Install from a registry with what it needs and brings along; nothing runs before it is enabled'),
      validate('json', Install),
      async (c) => {
        const wanted = c.req.valid('json')
        if (wanted.acceptNewKey) requirePermission(c.get('user'), 'plugins.trust')
        return answerJson(c, await plugins.install(wanted, c.get('user').id), 201)
      },
    )
    .post('/:id/companions', about('Install what it needs or brings along and what is not here'), async (c) =>
      answerJson(c, await plugins.installCompanions(c.req.param('id'), c.get('user').id), 201),
    )
}

/** Whether somebody lets a plugin at data, or at anything that nobody vouches for. */
function givesRights({ grants, allowUnsigned, companions }: z.infer<typeof ConsentToAll>): boolean {
  return Boolean(grants ?? allowUnsigned ?? companions)
}

/** What is there, on and off. */
function stateRoutes(plugins: PluginAdmin) {
  return new Hono<SignedIn>()
    .get('/', about('Installed plugins, and those whose data was kept'), async (c) =>
      answerJson(c, { plugins: await plugins.list(), kept: await plugins.kept() }),
    )
    .get('/:id', about('One plugin with its documents'), async (c) => {
      const id = c.req.param('id')
      return answerJson(c, { ...(await plugins.get(id)), ...(await plugins.documents(id)) })
    })
    .post(
      '/:id/enable',
      about('Enable, granting what it and its companions ask for; 409 E_CONSENT lists what that is'),
      validate('json', ConsentToAll),
      async (c) => {
        const id = c.req.param('id')
        const consent = c.req.valid('json')
        if (givesRights(consent)) requirePermission(c.get('user'), 'plugins.trust')
        await plugins.enable(id, consent, c.get('user').id)
        return answerJson(c, await plugins.get(id))
      },
    )
    .post('/:id/disable', about('Disable; its data stays'), async (c) => {
      const id = c.req.param('id')
      await plugins.disable(id, c.get('user').id)
      return answerJson(c, await plugins.get(id))
    })
    .post(
      '/:id/trust',
      about('Let its code run in the server’s own process, with all that the server may do'),
      validate('json', z.object({ trusted: z.boolean() })),
      async (c) => {
        const id = c.req.param('id')
        await plugins.trust(id, c.req.valid('json').trusted, c.get('user').id)
        return answerJson(c, await plugins.get(id))
      },
    )
    .post(
      '/:id/uninstall',
      about('Uninstall; `confirm` is the plugin’s id once more'),
      validate('json', Uninstall),
      async (c) => {
        const id = c.req.param('id')
        const { data, confirm } = c.req.valid('json')
        if (confirm !== id)
          throw userError('E_CONFIRM', `"${confirm}" is not the id of the plugin`, {
            hint: `Type ${id} to confirm.`,
          })
        return c.json(await plugins.uninstall(id, data, c.get('user').id))
      },
    )
}

/** From one version to another, and back. */
function versionRoutes(plugins: PluginAdmin) {
  return new Hono<SignedIn>()
    .post(
      '/:id/upgrade',
      about('Put another version in force; it goes back by itself when that one does not start'),
      validate('json', Upgrade),
      async (c) =>
        answerJson(c, await plugins.upgrade(c.req.param('id'), c.req.valid('json'), c.get('user').id)),
    )
    .post(
      '/:id/rollback',
      about('Put an earlier version in force again'),
      validate('json', z.object({ version: Version })),
      async (c) => {
        const { version } = c.req.valid('json')
        return answerJson(c, await plugins.rollback(c.req.param('id'), version, c.get('user').id))
      },
    )
    .post(
      '/:id/shadow',
      about('Run another version’s scorers beside the ones in force, writing nothing'),
      validate('json', z.object({ version: Version, allowUnsigned: z.boolean().optional() })),
      async (c) => {
        const { version, allowUnsigned } = c.req.valid('json')
        const by = c.get('user').id
        return c.json(await plugins.shadow(c.req.param('id'), { version, allowUnsigned }, by), 202)
      },
    )
    .get('/:id/shadow', about('What the last shadow run found'), async (c) =>
      answerJson(c, { drift: await plugins.drift(c.req.param('id')) }),
    )
    .get(
      '/:id/versions/:version',
      about('What would change if a version that lies here were put in force'),
      async (c) => answerJson(c, await plugins.candidate(c.req.param('id'), c.req.param('version'))),
    )
}

/** What a plugin holds and how it does. */
function insideRoutes(plugins: PluginAdmin) {
  return new Hono<SignedIn>()
    .get('/:id/data', about('What it owns here'), async (c) =>
      answerJson(c, await plugins.data(c.req.param('id'))),
    )
    .get('/:id/settings', about('Settings'), (c) =>
      answerJson(c, { settings: plugins.settings(c.req.param('id')) as Settings }),
    )
    .put(
      '/:id/settings',
      about('Change settings'),
      validate('json', z.object({ settings: z.record(z.string(), z.json()) })),
      async (c) => {
        const id = c.req.param('id')
        await plugins.setSettings(id, c.req.valid('json').settings, c.get('user').id)
        return answerJson(c, { settings: plugins.settings(id) as Settings })
      },
    )
    .get('/:id/log', about('The last 200 lines of its log'), (c) =>
      answerJson(c, { entries: plugins.log(c.req.param('id')) }),
    )
    .post(
      '/:id/profile',
      about('A CPU profile of the coming seconds, as a .cpuprofile'),
      validate('query', Profile),
      async (c) => {
        const id = c.req.param('id')
        const profile = await plugins.profile(id, c.req.valid('query').ms)
        c.header('Content-Disposition', `attachment; filename="${id.replaceAll(/[^\w.-]/g, '_')}.cpuprofile"`)
        return c.body(profile, 200, { 'Content-Type': 'application/json' })
      },
    )
}

/** Files that uninstalling wrote. */
export function pluginExportRoutes({ plugins }: PluginDeps) {
  return new Hono<SignedIn>().get('/:name', about('Data of an uninstalled plugin'), (c) => {
    const name = c.req.param('name')
    const stream = Readable.toWeb(createReadStream(plugins.exportFile(name))) as ReadableStream
    return c.body(stream, 200, {
      'Content-Type': 'application/gzip',
      'Content-Disposition': `attachment; filename="${name}"`,
    })
  })
}

type Settings = Record<string, string | number | boolean | null | object>
