import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import type { EventLog } from '../events/append.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { readMerges, separate, undoMerge } from './merges.ts'

const Id = z.object({ id: z.coerce.number().int().positive() })

/** Who is whom, mounted at `/api/customers`. */
export function identityRoutes({
  database,
  clock,
  events,
}: Pick<CoreContext, 'database' | 'clock'> & { events: EventLog }) {
  const deps = { db: database.db, events, clock }
  return new Hono<SignedIn>()
    .get(
      '/:id{[0-9]+}/merges',
      describeRoute({ tags: ['customers'], summary: 'What made this customer one person' }),
      validate('param', Id),
      async (c) => c.json({ merges: await readMerges(database.db, c.req.valid('param').id) }),
    )
    .post(
      '/merges/:merge{[0-9]+-[0-9]+}/undo',
      describeRoute({ tags: ['customers'], summary: 'Part them again' }),
      async (c) => {
        const merge = c.req.param('merge')
        await undoMerge(deps, merge)
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'customer.unmerge',
          subject: merge,
        })
        return c.json({ undone: merge }, 202)
      },
    )
    .post(
      '/:id{[0-9]+}/separate',
      describeRoute({ tags: ['customers'], summary: 'Take identifiers away from a customer' }),
      validate('param', Id),
      validate('json', z.object({ identifiers: z.array(z.number().int()).min(1).max(200) })),
      async (c) => {
        const { id } = c.req.valid('param')
        await separate(deps, id, new Set(c.req.valid('json').identifiers))
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'customer.separate',
          subject: String(id),
        })
        return c.json({ separated: id }, 202)
      },
    )
}
