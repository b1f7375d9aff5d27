import type { Clock } from '../clock.ts'
import { type Db, transact } from '../db/database.ts'
import { type JobNode, toJob } from './jobs.ts'
import type { JobQueue, Taken } from './queue.ts'
import { isFor, LEASE_MS, leaseTime } from './leases.ts'

/** Jobs handed round by their own rows: for one process, or a few. */
export class EmbeddedQueue implements JobQueue {
  readonly #db: Db
  readonly #clock: Clock

  constructor(db: Db, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  async open(): Promise<void> {}

  async take(kinds: readonly string[], node: JobNode | undefined): Promise<Taken | undefined> {
    const now = this.#clock.now()
    const leasedFrom = leaseTime(this.#clock)
    return await transact(this.#db, async (tx) => {
      const due = await tx
        .selectFrom('jobs')
        .selectAll()
        .where('kind', 'in', kinds)
        .where('run_at', '<=', now)
        .where(isFor(node))
        .where((where) =>
          where.or([
            where('state', '=', 'queued'),
            where.and([where('state', '=', 'running'), where('leased_until', '<', leasedFrom)]),
          ]),
        )
        .orderBy('run_at')
        .limit(10)
        .execute()
      for (const row of due) {
        // Conditional on what was read: of two nodes that saw the same row one gets it.
        const leased = await tx
          .updateTable('jobs')
          .set({
            state: 'running',
            leased_until: leasedFrom + LEASE_MS,
            started_at: row.started_at ?? now,
            attempts: row.attempts + 1,
          })
          .where('id', '=', row.id)
          .where('state', '=', row.state)
          .where('attempts', '=', row.attempts)
          .returningAll()
          .executeTakeFirst()
        if (leased) return { job: toJob(leased), attempt: leased.attempts }
      }
      return undefined
    })
  }

  /** The row says it all. */
  async keep(): Promise<boolean> {
    return true
  }

  async letGo(): Promise<void> {}

  async close(): Promise<void> {}
}
