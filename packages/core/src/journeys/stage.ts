import type { CoreContext } from '../context.ts'
import { readCursor } from '../db/cursor.ts'
import { transact, type Tx } from '../db/database.ts'
import { advanceDue } from './advance.ts'
import { followEvents } from './follow-events.ts'
import { followSegments } from './follow-segments.ts'
import { askConditions } from './ask-conditions.ts'
import { finishHumanStep, type HumanTasks } from './human-steps.ts'
import { JourneyReader, momentOf } from './known.ts'
import { advanceRuns } from './runs.ts'

export interface JourneyOptions {
  /** Takes the work that journeys hand to people. Without it such steps wait until their time is over. */
  tasks?: HumanTasks
  /** Channel that reaches nobody: messages of somebody who tries a journey go there. */
  trialChannel?: string
  /** For a stage that runs beside everything else: smaller pieces of work, and what it waits for behind each. */
  pieces?: { size: number; rest: () => Promise<void> }
}

type Context = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points' | 'log'>

/** Keeps journeys in step with events, segments and the clock. */
export class JourneyStage {
  readonly #context: Context
  readonly #reader = new JourneyReader()
  readonly tasks: HumanTasks | undefined
  readonly trialChannel: string | undefined
  readonly #pieces: JourneyOptions['pieces']

  constructor(
    { database, clock, brand, points, log }: Context,
    { tasks, trialChannel, pieces }: JourneyOptions = {},
  ) {
    this.#context = { database, clock, brand, points, log }
    this.tasks = tasks
    this.trialChannel = trialChannel
    this.#pieces = pieces
  }

  /** Does the next piece of work. Returns whether there may be more. */
  async advance(): Promise<boolean> {
    const { db } = this.#context.database
    const before = await this.#reader.read(db)
    if (before.journeys.size === 0) return false
    const holds = await askConditions(this.#context, before)
    const answers = (action: string) => this.#answers(action)
    const brand = await this.#context.brand()
    const now = this.#context.clock.now()
    // Each piece is a transaction of its own, so that none holds the database for long.
    let more = false
    for (const piece of [followEvents, followSegments, advanceRuns, advanceDue]) {
      const did = await transact(db, async (tx) => {
        // Nodes take turns: an enrolment is advanced by one at a time.
        await readCursor(tx, 'journeys')
        // Behind the lock: nobody publishes between this and the enrolments read with it.
        const known = await this.#reader.read(tx)
        const batch = this.#pieces?.size
        return await piece(tx, momentOf(tx, { now, brand, known, batch, tasks: this.tasks, answers, holds }))
      })
      await this.#pieces?.rest()
      more ||= did
    }
    return more
  }

  /** Of an action whose plugin is not there now nobody knows: it is waited for. */
  #answers(action: string): boolean {
    const entry = this.#context.points.actions.find(action)
    return entry === undefined || entry.value.output !== undefined
  }

  /** Goes on behind a step that a person has done, in the transaction that says so. */
  async finishHumanStep(tx: Tx, key: string, outcome: string): Promise<boolean> {
    const known = await this.#reader.read(tx)
    return await finishHumanStep(tx, { key, outcome, moment: { now: this.#context.clock.now(), known } })
  }
}
