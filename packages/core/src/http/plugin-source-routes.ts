import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import { answerJson } from './answer.ts'
import type { SignedIn } from './env.ts'
import type { PluginAdmin } from './plugin-views.ts'
import { validate } from './validate.ts'

const about = (summary: string) => describeRoute({ tags: ['plugins'], summary })

const NewRegistry = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  kind: z.enum(['npm', 'folder', 'web']),
  title: z.string().trim().min(1).max(80),
  url: z.url({ protocol: /^https?$/ }).optional(),
  path: z.string().max(1_000).optional(),
  scope: z
    .string()
    .regex(/^@[a-z0-9~-][a-z0-9._~-]*$/)
    .optional(),
  token: z.string().max(2_000).optional(),
})
const NewPublisher = z.object({
  publisher: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  publicKey: z.string().min(1).max(2_000),
})
const Search = z.object({ search: z.string().max(200).default('') })

/** Where plugins come from, whose signature is believed, and which plugin is behind a problem. */
export function pluginSourceRoutes(plugins: PluginAdmin) {
  return new Hono<SignedIn>()
    .get(
      '/available',
      about('Search every registry at once; one that gives no answer is named beside the results'),
      validate('query', Search),
      async (c) => answerJson(c, await plugins.search(c.req.valid('query').search, c.req.raw.signal)),
    )
    .get(
      '/available/:registry/:name',
      about('One plugin of a registry; its name is URL-encoded'),
      async (c) => answerJson(c, await plugins.details(c.req.param('registry'), c.req.param('name'))),
    )
    .post('/updates', about('Look for newer versions now'), async (c) =>
      answerJson(c, await plugins.checkUpdates()),
    )
    .get('/registries', about('Registries'), async (c) =>
      answerJson(c, { registries: await plugins.registries() }),
    )
    .post('/registries', about('Add a registry'), validate('json', NewRegistry), async (c) => {
      await plugins.addRegistry(c.req.valid('json'), c.get('user').id)
      return answerJson(c, { registries: await plugins.registries() }, 201)
    })
    .delete('/registries/:id', about('Remove a registry; what was installed from it stays'), async (c) => {
      await plugins.removeRegistry(c.req.param('id'), c.get('user').id)
      return answerJson(c, { registries: await plugins.registries() })
    })
    .get('/publishers', about('Publishers whose signature is believed'), async (c) =>
      answerJson(c, { publishers: await plugins.publishers() }),
    )
    .post('/publishers', about('Trust a publisher’s key'), validate('json', NewPublisher), async (c) => {
      await plugins.addPublisher(c.req.valid('json'), c.get('user').id)
      return answerJson(c, { publishers: await plugins.publishers() }, 201)
    })
    .delete('/publishers/:keyId', about('Trust a key no longer'), async (c) => {
      await plugins.removePublisher(c.req.param('keyId'), c.get('user').id)
      return answerJson(c, { publishers: await plugins.publishers() })
    })
    .get('/bisect', about('The search for the plugin behind a problem'), async (c) =>
      answerJson(c, await plugins.bisect.view()),
    )
    .post('/bisect/start', about('Begin: half of the plugins go off'), async (c) =>
      answerJson(c, await plugins.bisect.start(c.get('user').id)),
    )
    .post('/bisect/good', about('The problem is gone'), async (c) =>
      answerJson(c, await plugins.bisect.answer('good', c.get('user').id)),
    )
    .post('/bisect/bad', about('The problem is still there'), async (c) =>
      answerJson(c, await plugins.bisect.answer('bad', c.get('user').id)),
    )
    .post('/bisect/stop', about('End; every plugin is as it was'), async (c) =>
      answerJson(c, await plugins.bisect.stop(c.get('user').id)),
    )
}
