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
import { may } from '../people/permissions.ts'
import type { User } from '../people/auth.ts'
import { readTellings } from './notices.ts'
import { targetsOf } from './targets.ts'
import { testWebhook } from './tell.ts'
import { AlertSettings, AlertSettingsChange, readAlertSettings, writeAlertSettings } from './thresholds.ts'
import { ROBOT_HOSTS, WEBHOOK_KINDS, WebhookSecret, withoutKey } from './webhook.ts'

const Id = z.object({ id: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER) })

const WebhookTest = z.object({
  webhook: z.url({ protocol: /^https?$/ }).max(2_000),
  webhookKind: z.enum(WEBHOOK_KINDS),
  webhookLocale: z.enum(['zh-CN', 'en']),
  webhookSecret: WebhookSecret,
})

/** Mounted at `/api/alerts`. */
export function alertRoutes({
  database,
  clock,
  watch,
  brand,
  webhookSecrets,
}: Pick<Core, 'database' | 'clock' | 'watch' | 'brand' | 'webhookSecrets'>) {
  const { db } = database
  const readSettings = async (user: User) => {
    const settings = await readAlertSettings(db)
    const targets = targetsOf(settings).map(({ id }) => id)
    return {
      ...settings,
      // Whoever knows the address of a robot can speak in its group.
      webhook: may(user, 'operations.manage') ? settings.webhook : withoutKey(settings.webhook),
      hasWebhookSecret: await webhookSecrets.has(settings.webhook),
      robotHosts: ROBOT_HOSTS,
      kinds: ALERT_KINDS,
      tellings: await readTellings(db, targets, clock.now()),
    }
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
      async (c) => c.json(await readSettings(c.get('user'))),
    )
    .put(
      '/settings',
      describeRoute({ tags: ['alerts'], summary: 'Change these' }),
      validate('json', AlertSettingsChange.extend({ webhookSecret: WebhookSecret })),
      async (c) => {
        const { webhookSecret, ...change } = c.req.valid('json')
        const settings = AlertSettings.parse(change)
        await writeAlertSettings(db, settings)
        // The secret of an address goes with it.
        if (webhookSecret !== undefined || !(await webhookSecrets.has(settings.webhook)))
          await webhookSecrets.write(settings.webhook, webhookSecret ?? '')
        await audit(db, clock, {
          userId: c.get('user').id,
          action: 'settings.alerts',
          subject: 'alerts',
          details: {
            recipients: settings.recipients.length,
            muted: settings.muted,
            webhook: withoutKey(settings.webhook),
          },
        })
        return c.json(await readSettings(c.get('user')))
      },
    )
    .post(
      '/settings/test',
      describeRoute({ tags: ['alerts'], summary: 'Say at an address that this is a test' }),
      validate('json', WebhookTest),
      async (c) => {
        const { webhook: address, webhookKind: kind, webhookLocale, webhookSecret } = c.req.valid('json')
        const secret = webhookSecret ?? (await webhookSecrets.find(address))
        await testWebhook({ brand }, { address, kind, secret }, webhookLocale)
        return c.json({ sent: true })
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
