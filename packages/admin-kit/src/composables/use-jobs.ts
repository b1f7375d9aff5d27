import { useQuery, useQueryClient } from '@tanstack/vue-query'
import type { QueryClient } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import { isOpen, listJobs } from '../api/jobs.ts'
import type { Job } from '../api/jobs.ts'
import { serverNow } from '../format/server-time.ts'
import { queryKeys } from './query-keys.ts'

/** Latest jobs, newest first, kept fresh by `useLive`. */
export function useJobs() {
  const query = useQuery({
    queryKey: queryKeys.jobs,
    queryFn: ({ signal }) => listJobs(30, signal),
    staleTime: 15_000,
    // An answer that was on its way when a job ended shows it as running; nobody would say so again.
    refetchInterval: (now) => (now.state.data?.jobs.some(isOpen) ? 3_000 : false),
  })
  const jobs = computed(() => query.data.value?.jobs ?? [])
  return { ...query, jobs, open: computed(() => jobs.value.filter(isOpen)) }
}

/** One job by its id, as far as it is among the latest. */
export function useJob(id: MaybeRefOrGetter<string | null | undefined>) {
  const { jobs } = useJobs()
  return computed(() => jobs.value.find((job) => job.id === toValue(id)))
}

/** Puts a job that the server announced into the list. */
export function applyJob(client: QueryClient, job: Job): void {
  client.setQueryData<{ jobs: Job[] }>(queryKeys.jobs, (old) => {
    const others = (old?.jobs ?? []).filter((known) => known.id !== job.id)
    // Long work stays in sight, however much short work comes after it.
    const ranked = [job, ...others].sort(
      (a, b) => Number(isOpen(b)) - Number(isOpen(a)) || b.createdAt - a.createdAt,
    )
    return { jobs: ranked.slice(0, 50) }
  })
}

/** Rate and time left of a running job, in units per second and milliseconds. */
export function jobPace(job: Pick<Job, 'progress' | 'startedAt' | 'state'>, now = serverNow()) {
  const { progress, startedAt } = job
  if (job.state !== 'running' || !progress || !startedAt || progress.done <= 0 || now <= startedAt)
    return undefined
  const rate = progress.done / ((now - startedAt) / 1000)
  const left = progress.total ? Math.max(0, ((progress.total - progress.done) / rate) * 1000) : undefined
  return { rate, left }
}

/** Asks for the jobs again, for instance after starting one. */
export function useRefreshJobs() {
  const client = useQueryClient()
  return () => client.invalidateQueries({ queryKey: queryKeys.jobs })
}
