import type { InferResponseType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'
import type { Localized } from './localized.ts'

/** A job as the live connection sends it as well. */
export type SentJob = InferResponseType<typeof api.jobs.$get>['jobs'][number]

/** A job whose title is in both languages where the server knows it so. */
export type Job = Omit<SentJob, 'title'> & { title: string | Localized }
export type JobState = Job['state']

/** Newest first. */
export async function listJobs(limit = 20, signal?: AbortSignal): Promise<{ jobs: Job[] }> {
  const { jobs } = await read(api.jobs.$get({ query: { limit: String(limit) } }, until(signal)))
  return { jobs: jobs.map(readJob) }
}

/** A job as the server sends it; a title in both languages travels as JSON inside the text. */
export function readJob(job: SentJob): Job {
  if (!job.title.startsWith('{"')) return job
  try {
    return { ...job, title: JSON.parse(job.title) as Localized }
  } catch {
    return job
  }
}

export const pauseJob = (id: string) => done(api.jobs[':id'].pause.$post(at(id)))
export const resumeJob = (id: string) => done(api.jobs[':id'].resume.$post(at(id)))
export const cancelJob = (id: string) => done(api.jobs[':id'].cancel.$post(at(id)))

/** Whether the job still moves or may move again. */
export function isOpen(job: Job): boolean {
  return job.state === 'queued' || job.state === 'running' || job.state === 'paused'
}
