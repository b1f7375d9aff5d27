import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { Core } from '../core.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { listNodes } from '../nodes/queries.ts'
import { acknowledge, getAlert, listAlerts } from './alerts.ts'
import { readFigures } from './figures.ts'
import { ALERT_KINDS } from './rules.ts'
import { audit } from '../people/audit.ts'
import { readTellings } from './notices.ts'
import { targetsOf } from './targets.ts'
import { AlertSettings, readAlertSettings, writeAlertSettings } from './thresholds.ts'

const Id = z.object({ id: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER) })

/** Mounted at `/api/alerts`. */
export function alertRoutes({ database, clock, watch }: Pick<Core, 'database' | 'clock' | 'watch'>) {
  const { db } = database
  const readSettings = async () => {
    const settings = await readAlertSettings(db)
    const targets = targetsOf(settings).map(({ id }) => id)
    return { ...settings, kinds: ALERT_KINDS, tellings: await readTellings(db, targets, clock.now()) }
  }
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({ tags: ['alerts'], summary: 'What is not as it should be, or was' }),
      validate(
        'query',
        z.object({
          state: z.enum(['open', 'resolved']).default('open'),
          limit: z.coerce.number().int().min(1).max(200).default(100),
          before: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
        }),
      ),
      async (c) => c.json({ alerts: await listAlerts(db, c.req.valid('query')) }),
    )
    .get(
      '/settings',
      describeRoute({ tags: ['alerts'], summary: 'From when on there is an alert, and who is told' }),
      async (c) => c.json(await readSettings()),
    )
    .put(
      '/settings',
      describeRoute({ tags: ['alerts'], summary: 'Change these' }),
      validate('json', AlertSettings),
      async (c) => {
        const settings = c.req.valid('json')
        await writeAlertSettings(db, settings)
        await audit(db, clock, {
          userId: c.get('user').id,
          action: 'settings.alerts',
          subject: 'alerts',
          details: { recipients: settings.recipients.length, muted: settings.muted },
        })
        return c.json(await readSettings())
      },
    )
    .get(
      '/:id',
      describeRoute({ tags: ['alerts'], summary: 'One alert' }),
      validate('param', Id),
      async (c) => c.json(await getAlert(db, c.req.valid('param').id)),
    )
    .post(
      '/:id/acknowledge',
      describeRoute({ tags: ['alerts'], summary: 'Say that somebody looks after it' }),
      validate('param', Id),
      validate('json', z.object({ note: z.string().trim().max(500).nullable().default(null) })),
      async (c) => {
        const { id } = c.req.valid('param')
        const { note } = c.req.valid('json')
        const alert = await acknowledge(db, id, { by: c.get('user').name, note, now: clock.now() })
        watch.changed()
        return c.json(alert)
      },
    )
}

/** Mounted at `/api/operations`: how the installation is doing. */
export function operationsRoutes({
  core,
  version,
}: {
  core: Pick<Core, 'database' | 'clock' | 'health'>
  version: string
}) {
  return new Hono<SignedIn>().get(
    '/',
    describeRoute({ tags: ['operations'], summary: 'Version, database, stages, backups and nodes' }),
    async (c) => {
      const { database, clock, health } = core
      const { stages, jobs, databaseBytes } = await readFigures({ database, clock })
      const backups = await database.db
        .selectFrom('jobs')
        .select(['id', 'state', 'created_at', 'finished_at', 'result', 'error'])
        .where('kind', '=', 'backup')
        .orderBy('created_at', 'desc')
        .limit(5)
        .execute()
      return c.json({
        version,
        node: process.versions.node,
        engine: database.engine,
        databaseBytes,
        stages: stages.map((stage) => ({
          ...stage,
          trouble: health.troubles().find((each) => each.stage === stage.stage)?.kind ?? null,
        })),
        jobs,
        backups: backups.map(({ id, state, created_at, finished_at, result, error }) => ({
          id,
          state,
          at: created_at,
          finishedAt: finished_at,
          bytes: (JSON.parse(result ?? '{}') as { bytes?: number }).bytes ?? null,
          error: error === null ? null : (JSON.parse(error) as { code: string }).code,
        })),
        nodes: (await listNodes(database.db)).map(
          ({ id, host, role, version: own, startedAt, seenAt, alive, stages: held }) => ({
            id,
            host,
            role,
            version: own,
            startedAt,
            seenAt,
            alive,
            stages: held,
          }),
        ),
      })
    },
  )
}
