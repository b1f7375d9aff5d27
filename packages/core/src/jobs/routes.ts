import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'

/** Mounted at `/api/jobs`. */
export function jobRoutes({ jobs }: Pick<CoreContext, 'jobs'>) {
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({ tags: ['jobs'], summary: 'Newest jobs first' }),
      validate('query', z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) })),
      async (c) => c.json({ jobs: await jobs.list(c.req.valid('query').limit) }),
    )
    .get('/:id', describeRoute({ tags: ['jobs'], summary: 'One job' }), async (c) =>
      c.json(await jobs.get(c.req.param('id'))),
    )
    .post('/:id/pause', describeRoute({ tags: ['jobs'], summary: 'Pause' }), async (c) =>
      c.json(await jobs.pause(c.req.param('id'))),
    )
    .post('/:id/resume', describeRoute({ tags: ['jobs'], summary: 'Go on' }), async (c) =>
      c.json(await jobs.resume(c.req.param('id'))),
    )
    .post('/:id/cancel', describeRoute({ tags: ['jobs'], summary: 'Cancel' }), async (c) =>
      c.json(await jobs.cancel(c.req.param('id'))),
    )
}
