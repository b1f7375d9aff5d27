import { request } from './http.ts'
import type { Problem } from './http.ts'
import type { Localized } from './localized.ts'

export type JobState = 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled'

export interface JobProgress {
  done: number
  total: number | null
  unit?: string
}

export interface Job {
  id: string
  kind: string
  title: string | Localized
  state: JobState
  progress: JobProgress | null
  result?: Record<string, unknown> | null
  error?: Partial<Problem> | { code: string; message: string; hint?: string } | null
  createdAt: number
  startedAt?: number | null
  finishedAt?: number | null
}

/** Newest first. */
export async function listJobs(limit = 20, signal?: AbortSignal): Promise<{ jobs: Job[] }> {
  const { jobs } = await request<{ jobs: Job[] }>('/jobs', { query: { limit }, signal })
  return { jobs: jobs.map(readJob) }
}

/** A job as the server sends it; a title in both languages travels as JSON inside the text. */
export function readJob(job: Job): Job {
  if (typeof job.title !== 'string' || !job.title.startsWith('{"')) return job
  try {
    return { ...job, title: JSON.parse(job.title) as Localized }
  } catch {
    return job
  }
}

export const pauseJob = (id: string) => request<void>(`/jobs/${id}/pause`, { method: 'POST' })
export const resumeJob = (id: string) => request<void>(`/jobs/${id}/resume`, { method: 'POST' })
export const cancelJob = (id: string) => request<void>(`/jobs/${id}/cancel`, { method: 'POST' })

/** Whether the job still moves or may move again. */
export function isOpen(job: Job): boolean {
  return job.state === 'queued' || job.state === 'running' || job.state === 'paused'
}
