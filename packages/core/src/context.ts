import type { Clock } from './clock.ts'
import type { Database } from './db/database.ts'
import type { Jobs } from './jobs/jobs.ts'
import type { Points } from './points/points.ts'
import type { Brand } from './settings/brand.ts'

/** Where the core writes what happened to it. Never personal data. */
export interface Logger {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

/** What every stage and route works with. */
export interface CoreContext {
  readonly database: Database
  readonly clock: Clock
  readonly points: Points
  readonly jobs: Jobs
  readonly log: Logger
  /** The brand's settings as they are now. */
  brand(): Promise<Brand>
}
