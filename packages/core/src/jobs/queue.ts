import type { Job, JobNode } from './jobs.ts'

/** A job in the hands of one worker. The number of the attempt tells whether it still is. */
export interface Taken {
  readonly job: Job
  readonly attempt: number
}

/** Decides which worker does which job. What people see of a job stands in its row; this only hands it round. */
export interface JobQueue {
  /** Called before the first `take`, again after a failure. */
  open(): Promise<void>
  /** A job of one of these kinds that is due and that nobody is at. What it returns is this worker's. */
  take(kinds: readonly string[], node: JobNode | undefined): Promise<Taken | undefined>
  /** Says that the worker lives; false when the job is somebody else's by now. */
  keep(taken: Taken): Promise<boolean>
  /** The worker has written down how it went. */
  letGo(taken: Taken): Promise<void>
  close(): Promise<void>
}
