import { userError } from '@huitou/plugin-api'
import { type Context, Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import { recordExportRoutes, recordImportRoutes } from '../collections/file-routes.ts'
import { collectionRoutes } from '../collections/routes.ts'
import { assetRoutes, mediaRoutes } from '../content/asset-routes.ts'
import { templateRoutes } from '../content/template-routes.ts'
import type { Core } from '../core.ts'
import { bulkActionRoutes } from '../deliveries/bulk-routes.ts'
import { channelRoutes } from '../deliveries/channel-routes.ts'
import { consentRoutes } from '../deliveries/consent-routes.ts'
import { consentTextRoutes } from '../deliveries/consent-text-routes.ts'
import { contactPolicyRoutes } from '../deliveries/policy-routes.ts'
import { deliveryRoutes, rehearsalRoutes } from '../deliveries/routes.ts'
import { contentRoutes } from '../deliveries/content-routes.ts'
import { linkRoutes, unsubscribeRoutes } from '../deliveries/public-routes.ts'
import { type EventsTaken, ingestRoutes } from '../events/routes.ts'
import { writeKeyRoutes } from '../events/write-key-routes.ts'
import { journeyResultRoutes } from '../experiments/journey-routes.ts'
import { experimentRoutes } from '../experiments/routes.ts'
import { identityRoutes } from '../identity/routes.ts'
import { hookRoutes } from '../imports/hooks.ts'
import { importRoutes } from '../imports/routes.ts'
import { jobRoutes } from '../jobs/routes.ts'
import { enrolmentRoutes } from '../journeys/enrolment-routes.ts'
import { journeyStopRoutes } from '../journeys/stop-routes.ts'
import { customerJourneyRoutes, journeyRoutes } from '../journeys/routes.ts'
import { journeyFromTemplateRoutes, journeyTemplateRoutes } from '../journeys/template-routes.ts'
import type { Auth } from '../people/auth.ts'
import { authorize } from '../people/authorize.ts'
import { accountRoutes } from '../people/account-routes.ts'
import { apiKeyRoutes } from '../people/api-key-routes.ts'
import { auditRoutes } from '../people/audit-routes.ts'
import { personalKeyRoutes, type SecretPlace } from '../people/key-routes.ts'
import { peopleRoutes } from '../people/people-routes.ts'
import { AUTH_ROUTES } from '../people/auth-routes.ts'
import { permissionsOf } from '../people/permissions.ts'
import { setupRoutes } from '../people/setup-routes.ts'
import { commandRoutes } from '../points/command-routes.ts'
import { viewCallRoutes } from '../points/view-calls.ts'
import { type PluginFacts, viewRoutes } from '../points/view-routes.ts'
import { columnRoutes, customerRoutes } from '../profiles/routes.ts'
import { homeRoutes, reportRoutes } from '../reports/routes.ts'
import { requestRoutes } from '../rights/request-routes.ts'
import { customerRightsRoutes, privacyRoutes } from '../rights/routes.ts'
import { customerSearchRoutes, segmentRoutes } from '../segments/routes.ts'
import type { Brand } from '../settings/brand.ts'
import { mailServerRoutes } from '../settings/mail-routes.ts'
import { settingsRoutes } from '../settings/routes.ts'
import { businessHoursRoutes, taskQueueRoutes, taskRoutes } from '../tasks/routes.ts'
import { readAlertAttention } from '../watch/attention.ts'
import { alertRoutes, operationsRoutes } from '../watch/routes.ts'
import type { SignedIn } from './env.ts'
import { refuseForeignPages } from './foreign-pages.ts'
import { type LiveTopics, liveRoutes } from './live.ts'
import { readPluginAttention } from './plugin-attention.ts'
import { pluginExportRoutes, pluginRoutes } from './plugin-routes.ts'
import type { PluginAdmin } from './plugin-views.ts'
import { answerProblem, findCause } from './problem.ts'
import { limitRates, type RateLimits } from './rate-limits.ts'
import { findRoute } from './route-pattern.ts'
import { validate } from './validate.ts'
import { wholeBodies } from './whole-body.ts'

export interface AppDeps {
  core: Core
  auth: Auth
  plugins: PluginAdmin
  live: LiveTopics
  version: string
  /** Settings of a plugin, secrets included: signatures of webhooks are checked with them. */
  pluginSettings(plugin: string): Record<string, unknown>
  /** Called after the brand changed. */
  onBrand(brand: Brand): void
  /** Puts the job in line that fills an empty installation with the demo shop. */
  loadDemo(): Promise<{ id: string }>
  /** Puts the job in line that lets days pass in the demo shop. */
  passDemoDays(days: number): Promise<{ id: string }>
  /** Where the secret stands that opens the keys of personal data; whoever keeps copies has to know. */
  secretIn?: SecretPlace | undefined
  /** Other limits than {@link RATE_LIMITS}. */
  rateLimits?: Partial<RateLimits> | undefined
  /** Hears of every request that was answered, with the pattern of its route; `unknown` when there is none. */
  onAnswered?(c: Context, route: string): void
  /** Hears how many events a request brought, and how many of them were refused. */
  onTaken?: ((taken: EventsTaken) => void) | undefined
}

/** Everything behind `/api` that needs somebody signed in. Chained, so that the admin's client knows every answer. */
function signedInRoutes(deps: AppDeps) {
  const { core, version, auth, plugins, live } = deps
  const endPages = (user: string) => live.end(user)
  return new Hono<SignedIn>()
    .get(
      '/me',
      describeRoute({ tags: ['people'], summary: 'Who is signed in, and what they may do' }),
      (c) => {
        const user = c.get('user')
        // Whoever owes something may do nothing before.
        const permissions = user.owes ? [] : permissionsOf(user)
        return c.json({ ...user, permissions: [...permissions] })
      },
    )
    .route('/demo', demoRoutes(deps))
    .route('/settings', installationRoutes(deps))
    .route('/jobs', jobRoutes(core))
    .route('/live', liveRoutes({ jobs: core.jobs, live }))
    .route('/columns', columnRoutes(core))
    .route('/customers', customerSearchRoutes(core))
    .route('/customers', bulkActionRoutes(core))
    .route('/customers', customerRoutes(core))
    .route('/customers', identityRoutes(core))
    .route('/customers', customerJourneyRoutes(core))
    .route('/customers', consentRoutes(core))
    .route('/customers', customerRightsRoutes(core))
    .route('/privacy', privacyRoutes(core))
    .route('/privacy/consent-texts', consentTextRoutes(core))
    .route('/privacy/requests', requestRoutes(core))
    .route('/segments', segmentRoutes(core))
    .route('/journeys', rehearsalRoutes(core))
    .route('/journeys', journeyResultRoutes(core))
    .route('/journeys', enrolmentRoutes(core))
    .route('/journeys', journeyStopRoutes(core))
    .route('/journeys', journeyFromTemplateRoutes(core))
    .route('/journeys', journeyRoutes(core))
    .route('/journey-templates', journeyTemplateRoutes(core))
    .route('/channels', channelRoutes(core))
    .route('/content', contentRoutes(core))
    .route('/templates', templateRoutes(core))
    .route('/assets', assetRoutes(core))
    .route('/deliveries', deliveryRoutes(core))
    .route('/contact-policy', contactPolicyRoutes(core))
    .route('/experiments', experimentRoutes(core))
    .route('/people', peopleRoutes({ ...core, auth, endPages }))
    .route('/account', accountRoutes({ ...core, auth, endPages }))
    .route('/audit', auditRoutes(core))
    .route('/tasks', taskRoutes({ ...core, auth }))
    .route('/task-queues', taskQueueRoutes({ ...core, auth }))
    .route('/business-hours', businessHoursRoutes({ ...core, auth }))
    .route('/reports', reportRoutes(core))
    .route(
      '/home',
      homeRoutes(core, async () => [
        ...(await readAlertAttention(core.database.db)),
        ...(await readPluginAttention(plugins)),
      ]),
    )
    .route('/imports', importRoutes(core))
    .route('/collections', recordExportRoutes(core))
    .route('/collections', recordImportRoutes(core))
    .route('/collections', collectionRoutes(core))
    .route('/commands', commandRoutes(core))
    .route('/alerts', alertRoutes(core))
    .route('/operations', operationsRoutes({ core, version }))
    .route('/views', viewRoutes({ points: core.points, pluginFacts: () => pluginFacts(plugins) }))
    .route('/views', viewCallRoutes({ ...core, pluginFacts: () => pluginFacts(plugins) }))
    .route('/plugins', pluginRoutes({ plugins }))
    .route('/plugin-exports', pluginExportRoutes({ plugins }))
}

/** The demo shop, mounted at `/api/demo`. */
function demoRoutes({ loadDemo, passDemoDays }: Pick<AppDeps, 'loadDemo' | 'passDemoDays'>) {
  return new Hono<SignedIn>()
    .post('/', describeRoute({ tags: ['setup'], summary: 'Load the demo shop' }), async (c) => {
      const { id } = await loadDemo()
      return c.json({ jobId: id }, 202)
    })
    .post(
      '/pass',
      describeRoute({ tags: ['setup'], summary: 'Let days pass in the demo shop' }),
      validate('json', z.object({ days: z.int().min(1).max(28) })),
      async (c) => {
        const { id } = await passDemoDays(c.req.valid('json').days)
        return c.json({ jobId: id }, 202)
      },
    )
}

/** What is set for the whole installation, mounted at `/api/settings`. */
function installationRoutes({ core, auth, live, onBrand, secretIn }: AppDeps) {
  return new Hono<SignedIn>()
    .route('/', settingsRoutes({ ...core, onBrand }))
    .route('/write-keys', writeKeyRoutes(core))
    .route('/personal-keys', personalKeyRoutes({ ...core, secretIn }))
    .route('/mail-server', mailServerRoutes(core))
    .route('/api-keys', apiKeyRoutes({ ...core, auth, endPages: (user) => live.end(user) }))
}

async function pluginFacts(plugins: PluginAdmin): Promise<Map<string, PluginFacts>> {
  const list = await plugins.list()
  return new Map(list.map(({ id, version, kind }) => [id, { version, isTrusted: kind !== 'sandboxed' }]))
}

/** The HTTP app: ingest at `/v1`, the admin's API at `/api`. */
export function createApp(deps: AppDeps) {
  const { core, auth, version } = deps
  const publicUrl = async () => (await core.brand()).publicUrl
  const app = new Hono<SignedIn>()
    .use(async (c, next) => {
      await next()
      deps.onAnswered?.(c, findRoute(c))
    })
    .use(limitRates(deps.rateLimits))
    .use(wholeBodies())
    .use('/api/*', refuseForeignPages(publicUrl))
    .use(authorize(auth))
    .route('/v1', ingestRoutes({ ...core, onTaken: deps.onTaken }))
    .route('/hooks', hookRoutes({ ...core, pluginSettings: async (plugin) => deps.pluginSettings(plugin) }))
    .route('/l', linkRoutes(core))
    .route('/u', unsubscribeRoutes(core))
    .route('/media', mediaRoutes(core))
    .route('/api/setup', setupRoutes({ ...core, auth, version }))
    .route('/api', signedInRoutes(deps))
  for (const [method, path] of AUTH_ROUTES) app.on(method, path, (c) => auth.handler(c.req.raw))
  app.post('/api/auth/sign-up/email', () => {
    throw userError('E_NO_SIGN_UP', 'Accounts are made by an owner', { status: 403 })
  })
  app.notFound((c) =>
    answerProblem(
      c,
      userError('E_NOT_FOUND', `There is nothing at ${c.req.path}`, { status: 404 }),
      core.log,
    ),
  )
  app.onError(async (error, c) => answerProblem(c, await findCause(error, core.database.db), core.log))
  return app
}

export type AppType = ReturnType<typeof createApp>
