import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { listGallery } from './gallery.ts'
import {
  createTemplate,
  deleteTemplate,
  getTemplate,
  listTemplates,
  templateUses,
  templateVersions,
  updateTemplate,
} from './templates.ts'

const tags = ['content']
const TemplateId = z.object({ id: z.string().min(1).max(60) })
const Locale = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'a language such as zh-CN or en')
const Input = z.object({
  name: z.string().trim().min(1).max(120),
  channel: z.string().min(1).max(200),
  variants: z.record(Locale, z.record(z.string().max(100), z.json())),
  defaultLocale: Locale,
  origin: z.string().max(200).nullish(),
})

type RouteDeps = Pick<CoreContext, 'database' | 'clock' | 'points'>

/** Mounted at `/api/templates`. */
export function templateRoutes(deps: RouteDeps) {
  const { database, clock, points } = deps
  const note = (userId: string, action: string, subject: string) =>
    audit(database.db, clock, { userId, action, subject })
  const withUse = async (id: string) => ({
    ...(await getTemplate(database.db, id)),
    usedBy: (await templateUses(database.db)).get(id) ?? [],
  })
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'Templates, and the journeys that use them' }), async (c) =>
      answerJson(c, { templates: await listTemplates(database.db) }),
    )
    .get('/gallery', describeRoute({ tags, summary: 'Templates of plugins to start from' }), (c) =>
      answerJson(c, { templates: listGallery(points) }),
    )
    .post('/', describeRoute({ tags, summary: 'A new template' }), validate('json', Input), async (c) => {
      const { origin = null, ...input } = c.req.valid('json')
      const template = await createTemplate(deps, { ...input, origin }, c.get('user').id)
      await note(c.get('user').id, 'template.create', template.id)
      return answerJson(c, await withUse(template.id), 201)
    })
    .get('/:id', describeRoute({ tags, summary: 'One template' }), validate('param', TemplateId), async (c) =>
      answerJson(c, await withUse(c.req.valid('param').id)),
    )
    .put(
      '/:id',
      describeRoute({ tags, summary: 'A new version; messages that go out from now on are written from it' }),
      validate('param', TemplateId),
      validate('json', Input),
      async (c) => {
        const { id } = c.req.valid('param')
        const { origin = null, ...input } = c.req.valid('json')
        await updateTemplate(deps, id, { input: { ...input, origin }, by: c.get('user').id })
        await note(c.get('user').id, 'template.change', id)
        return answerJson(c, await withUse(id))
      },
    )
    .delete(
      '/:id',
      describeRoute({ tags, summary: 'Delete a template that no journey uses' }),
      validate('param', TemplateId),
      async (c) => {
        const { id } = c.req.valid('param')
        await deleteTemplate(deps, id)
        await note(c.get('user').id, 'template.delete', id)
        return c.body(null, 204)
      },
    )
    .get(
      '/:id/versions',
      describeRoute({ tags, summary: 'What a template said before, newest first' }),
      validate('param', TemplateId),
      async (c) => answerJson(c, { versions: await templateVersions(database.db, c.req.valid('param').id) }),
    )
}
