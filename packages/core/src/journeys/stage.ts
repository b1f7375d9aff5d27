import type { CoreContext } from '../context.ts'
import { readCursor } from '../db/cursor.ts'
import { transact, type Tx } from '../db/database.ts'
import { advanceDue } from './advance.ts'
import { followEvents } from './follow-events.ts'
import { followSegments } from './follow-segments.ts'
import { finishHumanStep, type HumanTasks } from './human-steps.ts'
import { JourneyReader, type Moment, momentOf } from './known.ts'
import { advanceRuns } from './runs.ts'

export interface JourneyOptions {
  /** Takes the work that journeys hand to people. Without it such steps wait until their time is over. */
  tasks?: HumanTasks
}

type Context = Pick<CoreContext, 'database' | 'clock' | 'brand'>

/** Keeps journeys in step with events, segments and the clock. */
export class JourneyStage {
  readonly #context: Context
  readonly #reader = new JourneyReader()
  readonly #tasks: HumanTasks | undefined

  constructor({ database, clock, brand }: Context, { tasks }: JourneyOptions = {}) {
    this.#context = { database, clock, brand }
    this.#tasks = tasks
  }

  /** Does the next piece of work. Returns whether there may be more. */
  async advance(): Promise<boolean> {
    const { db } = this.#context.database
    const known = await this.#reader.read(db)
    if (known.journeys.size === 0) return false
    const brand = await this.#context.brand()
    const now = this.#context.clock.now()
    // Each piece is a transaction of its own, so that none holds the database for long.
    let more = false
    for (const piece of [followEvents, followSegments, advanceRuns, this.#advanceDue]) {
      const did = await transact(db, async (tx) => {
        // Nodes take turns: an enrolment is advanced by one at a time.
        await readCursor(tx, 'journeys')
        return await piece(tx, momentOf(tx, { now, brand, known }))
      })
      more ||= did
    }
    return more
  }

  #advanceDue = async (tx: Tx, moment: Moment): Promise<boolean> => {
    return (await advanceDue(tx, moment, this.#tasks)) > 0
  }

  /** Goes on behind a step that a person has done, in the transaction that says so. */
  async finishHumanStep(tx: Tx, key: string, outcome: string): Promise<boolean> {
    const known = await this.#reader.read(tx)
    return await finishHumanStep(tx, { key, outcome, moment: { now: this.#context.clock.now(), known } })
  }
}
