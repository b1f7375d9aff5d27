import { type Clock, systemClock } from './clock.ts'
import { defineBulkDelete } from './collections/bulk-delete.ts'
import { Collections } from './collections/collections.ts'
import { defineRecordImport } from './collections/import-records.ts'
import type { CoreContext, Logger } from './context.ts'
import { type Database, transact } from './db/database.ts'
import { migrate } from './db/migrate.ts'
import { defineBulkActions } from './deliveries/bulk-actions.ts'
import { ConsentRenewals } from './deliveries/consent-renewals.ts'
import { Deliveries, type DeliveryOptions } from './deliveries/dispatch.ts'
import { defineRehearsalJob } from './deliveries/rehearse.ts'
import { createEventLog, type EventLog } from './events/append.ts'
import { giveWay } from './events/give-way.ts'
import { BossQueue, type JobsBackend } from './jobs/boss-queue.ts'
import { checkJobsBackend } from './jobs/check-backend.ts'
import { createJobs } from './jobs/jobs.ts'
import type { ImportContext } from './imports/import-context.ts'
import { defineImportJobs } from './imports/imports.ts'
import { runToEnd, type Stage } from './loop.ts'
import { defineCommandJobs } from './points/command-routes.ts'
import { type JourneyOptions, JourneyStage } from './journeys/stage.ts'
import { defineStopJob } from './journeys/stop-all.ts'
import { placeOf } from './nodes/folder-lock.ts'
import { Schedules } from './nodes/schedules.ts'
import type { ThisNode } from './nodes/this-node.ts'
import { PluginAccess } from './plugin-data/plugin-access.ts'
import { checkKeys } from './people/key-store.ts'
import { openPersonalKeys, type PersonalKeys } from './personal-keys.ts'
import { createPoints } from './points/points.ts'
import { Erasures, type ErasureOptions } from './rights/erasures.ts'
import { Retention } from './rights/retention.ts'
import { createProfileStage, type ProfileStage } from './profiles/stage.ts'
import { addStandardColumns } from './profiles/store.ts'
import { runLoops } from './run-loops.ts'
import { coreMigrations } from './schema.ts'
import { ScoreStage } from './scores/stage.ts'
import { advanceSegments } from './segments/advance.ts'
import { syncBuiltinSegments } from './segments/builtin.ts'
import { keptSetting, readBrand } from './settings/brand.ts'
import { type MailServer, MailSettings } from './settings/mail-server.ts'
import { Signals } from './signals.ts'
import { Tasks } from './tasks/tasks.ts'
import { StageHealth } from './watch/stage-health.ts'
import { Watch } from './watch/watch.ts'
import { WebhookSecrets } from './watch/webhook.ts'

export interface CoreOptions {
  database: Database
  /** Folder for files: uploads lie below it. */
  dataDir: string
  /** Address under which customers reach the server, unless the brand's settings say another. */
  publicUrl?: string | undefined
  /**
   * Opens the keys that personal data is sealed with. Without it the database keeps personal data as it came, and one
   * that was sealed is not opened.
   */
  secret?: string | undefined
  /** The secret before it: what the keys may still be sealed under. They are sealed under the new one then. */
  oldSecret?: string | undefined
  /** Where Huitou's own mails go through, when the environment says it. */
  mailServer?: MailServer | undefined
  clock?: Clock
  log?: Logger
  journeys?: JourneyOptions
  deliveries?: DeliveryOptions
  /** Engine behind pg-boss, which then hands jobs round; by their own rows when absent. */
  jobsBackend?: JobsBackend | undefined
  /** What names of erased customers are hashed with; tests need none. */
  rights?: ErasureOptions
}

/** The loop and what it works with. */
export interface Core extends ImportContext {
  /** What runs by the clock, on one node. */
  readonly schedules: Schedules
  readonly events: EventLog
  readonly profiles: ProfileStage
  readonly scores: ScoreStage
  readonly journeys: JourneyStage
  readonly deliveries: Deliveries
  /** Work for people. */
  readonly tasks: Tasks
  /** What personal data is sealed with; undefined when the database keeps it as it came. */
  readonly keys: PersonalKeys | undefined
  /** Takes single customers out of all of it. */
  readonly erasures: Erasures
  /** Lets go of what has been kept long enough. */
  readonly retention: Retention
  /** Finds whom to ask for consent again. */
  readonly renewals: ConsentRenewals
  /** Records that plugins declare. */
  readonly collections: Collections
  /** What plugins may do with all of it. */
  readonly access: PluginAccess
  /** Looks after the installation and raises alerts. */
  readonly watch: Watch
  /** Where Huitou's own mails go through. */
  readonly mail: MailSettings
  /** What is signed with at the address that alerts are told at. */
  readonly webhookSecrets: WebhookSecrets
  /** How the stages of this process are doing. */
  readonly health: StageHealth
  /** Stages from left to right. */
  readonly stages: Stage[]
  /**
   * Runs stages, jobs and schedules until `stop`. As one of several nodes it does its share: stages that it has a claim
   * on, and whatever it gets of the rest; one whose role is `web` does none of it.
   */
  start(node?: ThisNode): void
  /** Ends after the piece of work in hand. The database stays open. */
  stop(): Promise<void>
  /** Advances every stage until none has anything left to do. */
  settle(): Promise<void>
  /** Makes a running loop look again at once. */
  wake(): void
  /** Called when a stage of the running loop has written something, with the stage's name. */
  onAdvance(listener: (stage: string) => void): () => void
}

/** How often it is looked whether something is not as it should be. */
const WATCH_MS = 60_000

const silent: Logger = { info: () => {}, warn: () => {}, error: () => {} }

/** Brings the schema up to date and puts the loop together; nothing runs before `start`. */
export async function createCore(options: CoreOptions): Promise<Core> {
  const { database, dataDir, secret, clock = systemClock, rights = { secret: '' } } = options
  await checkKeys(database, secret, options.oldSecret)
  if (options.jobsBackend) await checkJobsBackend(database.db, options.jobsBackend)
  await migrate(database, 'core', coreMigrations)
  await transact(database.db, addStandardColumns)
  const context = createContext(options)
  const keys = secret === undefined ? undefined : await openPersonalKeys(context, secret)
  const schedules = new Schedules(context)
  const events = createEventLog(database, clock)
  const profiles = createProfileStage(context)
  const scores = new ScoreStage(context)
  const collections = new Collections(context)
  const deliveries = new Deliveries(context, options.deliveries)
  const { journeys, tasks } = createJourneys(context, deliveries, options.journeys)
  const access = new PluginAccess({ ...context, events })
  const erasures = new Erasures({ ...context, schedules, dataDir }, rights)
  const retention = new Retention({ ...context, schedules, dataDir, erasures })
  const renewals = new ConsentRenewals({ ...context, schedules })
  const health = new StageHealth()
  const mail = new MailSettings(database.db, deliveries.context.box, options.mailServer)
  const webhookSecrets = new WebhookSecrets(database.db, deliveries.context.box)
  const watch = watchOver(schedules, new Watch({ ...context, dataDir, health, mail, webhookSecrets }))
  const lanes = lanesOf(context, { profiles, scores, journeys, collections, deliveries, tasks })
  const looped = database.engine === 'sqlite' ? giveWay(lanes.stages, events) : lanes.stages
  const signals = new Signals(database.notices)

  const core: Core = {
    ...context,
    keys,
    schedules,
    dataDir,
    onAppended: () => signals.appended(),
    events,
    profiles,
    scores,
    journeys,
    deliveries,
    tasks,
    erasures,
    retention,
    renewals,
    collections,
    access,
    health,
    mail,
    webhookSecrets,
    watch,
    stages: lanes.stages,
    start(node) {
      if (signals.running) return
      signals.running = runLoops(context, {
        node,
        schedules,
        stages: health.watch(looped),
        besides: health.watch(lanes.besides),
        sending: health.watch(lanes.sending),
        ticking: health.watch(lanes.ticking),
        deliveries,
        onAdvance: (stage) => signals.advanced(stage),
      })
      schedules.nodeId = node?.id ?? ''
      if (node && node.role !== 'web') void node.claims.begin().then(core.wake, () => {})
      collections.onChange(core.wake)
    },
    async stop() {
      signals.running?.stop.abort()
      signals.running?.wake()
      await signals.running?.ended
      await deliveries.finish()
      signals.running = undefined
    },
    settle: () => runToEnd(Object.values(lanes).flat()),
    wake: () => signals.wake(),
    onAdvance: (listener) => signals.onAdvance(listener),
  }
  events.onAppend(() => signals.appended())
  tasks.onChange(core.wake)
  defineJobs(core)
  return core
}

/** What stages and routes work with. */
function createContext(options: CoreOptions): CoreContext {
  const { database, dataDir, publicUrl, clock = systemClock, log = silent, jobsBackend } = options
  return {
    database,
    clock,
    log,
    points: createPoints(),
    jobs: createJobs({
      database,
      clock,
      place: database.engine === 'postgres' ? placeOf(dataDir) : undefined,
      queue: jobsBackend && new BossQueue(database, { clock, log, backend: jobsBackend }),
    }),
    brand: keptSetting(async () => {
      const stored = await readBrand(database.db)
      return { ...stored, publicUrl: stored.publicUrl || publicUrl || '' }
    }),
  }
}

function watchOver(schedules: Schedules, watch: Watch): Watch {
  schedules.define({ name: 'watch', every: WATCH_MS, run: async () => void (await watch.look()) })
  return watch
}

function defineJobs(core: Core): void {
  defineImportJobs(core)
  defineBulkDelete(core)
  defineRecordImport(core)
  defineCommandJobs(core)
  defineRehearsalJob(core)
  defineBulkActions(core)
  defineStopJob(core, core.journeys.tasks)
}

/** Journeys, and the tasks they hand to people: each tells the other how it goes on. */
function createJourneys(context: CoreContext, deliveries: Deliveries, options: JourneyOptions | undefined) {
  const tasks: Tasks = new Tasks(context, {
    render: (...args) => deliveries.context.render(...args),
    finishStep: (tx, key, outcome) => journeys.finishHumanStep(tx, key, outcome),
  })
  const journeys = new JourneyStage(context, { tasks, ...options })
  return { journeys, tasks }
}

/** The loop, and what runs beside it. */
function lanesOf(
  context: CoreContext,
  core: Pick<Core, 'profiles' | 'scores' | 'journeys' | 'collections' | 'deliveries' | 'tasks'>,
): Record<'stages' | 'besides' | 'sending' | 'ticking', Stage[]> {
  return {
    stages: stagesOf(context, core),
    // Beside the loop: a plugin that is slow at its own records keeps no event waiting.
    besides: [{ name: 'collections', advance: () => core.collections.tellChanges() }],
    // Channels are slow: what is under way must keep neither events nor records waiting.
    sending: [{ name: 'deliveries', advance: () => core.deliveries.advance() }],
    ticking: [{ name: 'tasks', advance: () => core.tasks.advance() }],
  }
}

/** The loop from left to right. */
function stagesOf(
  context: CoreContext,
  { profiles, scores, journeys }: Pick<Core, 'profiles' | 'scores' | 'journeys'>,
): Stage[] {
  return [
    { name: 'profiles', advance: () => profiles.advance() },
    { name: 'scores', advance: () => scores.advance() },
    { name: 'segments', advance: segmentStage(context) },
    { name: 'journeys', advance: () => journeys.advance() },
  ]
}

/** The segments stage; labels that plugins give are segments before anything is evaluated. */
function segmentStage(context: CoreContext): () => Promise<boolean> {
  let current = false
  context.points.segmenters.onDidChange(() => (current = false))
  return async () => {
    if (!current) {
      current = true
      await syncBuiltinSegments(context.database, context.points, context.clock.now())
    }
    return await advanceSegments(context)
  }
}
