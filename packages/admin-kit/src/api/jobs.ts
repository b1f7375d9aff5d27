import { request } from './http.ts'
import type { Problem } from './http.ts'

export type JobState = 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled'

export interface JobProgress {
  done: number
  total: number | null
  unit?: string
}

export interface Job {
  id: string
  kind: string
  title: string | { en: string; 'zh-CN': string }
  state: JobState
  progress: JobProgress | null
  result?: Record<string, unknown> | null
  error?: Partial<Problem> | { code: string; message: string; hint?: string } | null
  createdAt: number
  startedAt?: number | null
  finishedAt?: number | null
}

export const listJobs = (limit = 20, signal?: AbortSignal) =>
  request<{ jobs: Job[] }>('/jobs', { query: { limit }, signal })
export const pauseJob = (id: string) => request<void>(`/jobs/${id}/pause`, { method: 'POST' })
export const resumeJob = (id: string) => request<void>(`/jobs/${id}/resume`, { method: 'POST' })
export const cancelJob = (id: string) => request<void>(`/jobs/${id}/cancel`, { method: 'POST' })

/** Whether the job still moves or may move again. */
export function isOpen(job: Job): boolean {
  return job.state === 'queued' || job.state === 'running' || job.state === 'paused'
}
