import { type Clock, systemClock } from './clock.ts'
import { defineBulkDelete } from './collections/bulk-delete.ts'
import { Collections } from './collections/collections.ts'
import { defineRecordImport } from './collections/import-records.ts'
import type { CoreContext, Logger } from './context.ts'
import { type Database, transact } from './db/database.ts'
import { migrate } from './db/migrate.ts'
import { Deliveries, type DeliveryOptions } from './deliveries/dispatch.ts'
import { createEventLog, type EventLog } from './events/append.ts'
import { createJobs } from './jobs/jobs.ts'
import type { ImportContext } from './imports/import-context.ts'
import { defineImportJobs } from './imports/imports.ts'
import { createLoop, runToEnd, type Stage } from './loop.ts'
import { defineCommandJobs } from './points/command-routes.ts'
import { PluginAccess } from './plugin-data/plugin-access.ts'
import { createPoints } from './points/points.ts'
import { createProfileStage, type ProfileStage } from './profiles/stage.ts'
import { addStandardColumns } from './profiles/store.ts'
import { coreMigrations } from './schema.ts'
import { ScoreStage } from './scores/stage.ts'
import { advanceSegments } from './segments/advance.ts'
import { syncBuiltinSegments } from './segments/builtin.ts'
import { readBrand } from './settings/brand.ts'

export interface CoreOptions {
  database: Database
  /** Folder for files: uploads lie below it. */
  dataDir: string
  clock?: Clock
  log?: Logger
  deliveries?: DeliveryOptions
}

/** The loop and what it works with. */
export interface Core extends ImportContext {
  readonly events: EventLog
  readonly profiles: ProfileStage
  readonly scores: ScoreStage
  readonly deliveries: Deliveries
  /** Records that plugins declare. */
  readonly collections: Collections
  /** What plugins may do with all of it. */
  readonly access: PluginAccess
  /** Stages from left to right. */
  readonly stages: Stage[]
  /** Runs stages and jobs until `stop`. */
  start(): void
  /** Ends after the piece of work in hand. The database stays open. */
  stop(): Promise<void>
  /** Advances every stage until none has anything left to do. */
  settle(): Promise<void>
  /** Makes a running loop look again at once. */
  wake(): void
  /** Called when a stage of the running loop has written something, with the stage's name. */
  onAdvance(listener: (stage: string) => void): () => void
}

const silent: Logger = { info: () => {}, warn: () => {}, error: () => {} }

/** Brings the schema up to date and puts the loop together; nothing runs before `start`. */
export async function createCore({
  database,
  dataDir,
  clock = systemClock,
  log = silent,
  deliveries: deliveryOptions,
}: CoreOptions): Promise<Core> {
  await migrate(database, 'core', coreMigrations)
  await transact(database.db, addStandardColumns)
  const context: CoreContext = {
    database,
    clock,
    log,
    points: createPoints(),
    jobs: createJobs(database, clock),
    brand: () => readBrand(database.db),
  }
  const events = createEventLog(database, clock)
  const profiles = createProfileStage(context)
  const scores = new ScoreStage(context)
  const collections = new Collections(context)
  const deliveries = new Deliveries(context, deliveryOptions)
  const access = new PluginAccess({ ...context, events })
  // Beside the loop: a plugin that is slow at its own records keeps no event waiting.
  const besides: Stage[] = [{ name: 'collections', advance: () => collections.tellChanges() }]
  // Channels are slow: what is under way must keep neither events nor records waiting.
  const sending: Stage[] = [{ name: 'deliveries', advance: () => deliveries.advance() }]
  const stages: Stage[] = [
    { name: 'profiles', advance: () => profiles.advance() },
    { name: 'scores', advance: () => scores.advance() },
    { name: 'segments', advance: segmentStage(context) },
  ]
  const listeners = new Set<(stage: string) => void>()
  let running: { stop: AbortController; ended: Promise<unknown>; wake(): void } | undefined

  const core: Core = {
    ...context,
    dataDir,
    onAppended: () => core.wake(),
    events,
    profiles,
    scores,
    deliveries,
    collections,
    access,
    stages,
    start() {
      if (running) return
      const stop = new AbortController()
      const loop = createLoop(stages, {
        log,
        signal: stop.signal,
        onAdvance: (stage) => listeners.forEach((listener) => listener(stage)),
      })
      const beside = createLoop(besides, { log, signal: stop.signal })
      const sender = createLoop(sending, {
        log,
        signal: stop.signal,
        // What became of a message is an event that the first stage has to read.
        onAdvance: () => loop.wake(),
      })
      collections.onChange(beside.wake)
      running = {
        stop,
        wake: () => {
          loop.wake()
          beside.wake()
          sender.wake()
          deliveries.wake()
        },
        ended: Promise.all([loop.ended, beside.ended, sender.ended, context.jobs.run(stop.signal)]),
      }
    },
    async stop() {
      running?.stop.abort()
      running?.wake()
      await running?.ended
      await deliveries.finish()
      running = undefined
    },
    settle: () => runToEnd([...stages, ...besides, ...sending]),
    wake: () => running?.wake(),
    onAdvance(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  events.onAppend(core.wake)
  defineImportJobs(core)
  defineBulkDelete(core)
  defineRecordImport(core)
  defineCommandJobs(core)
  return core
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
