import { useQueryClient } from '@tanstack/vue-query'
import { onScopeDispose, ref } from 'vue'
import { isOpen, readJob } from '../api/jobs.ts'
import type { SentJob } from '../api/jobs.ts'
import { queryKeys } from './query-keys.ts'
import { applyJob } from './use-jobs.ts'

export type Connection = 'connecting' | 'open' | 'lost'

/** Whether the server can be reached, as the live connection sees it. */
export const connection = ref<Connection>('connecting')

/** Topics the server names and the caches that go stale with them. */
const topicKeys: Record<string, readonly string[]> = {
  profiles: ['profiles', 'reports'],
  segments: ['segments'],
  plugins: ['plugins', 'columns', 'reports'],
  reports: ['reports'],
  columns: ['columns'],
  imports: ['imports'],
  collections: ['collections'],
  tasks: ['tasks'],
  deliveries: ['deliveries', 'channels'],
}

/**
 * Keeps cached server state fresh from `/api/live` while the calling component lives. Called once, by the shell.
 * Changes come in bursts while data flows in; each cache is asked again at most every two seconds.
 */
export function useLive(): void {
  const client = useQueryClient()
  const stale = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined

  function flush() {
    timer = undefined
    for (const key of stale) void client.invalidateQueries({ queryKey: [key] })
    stale.clear()
  }
  function invalidate(keys: readonly string[]) {
    for (const key of keys) stale.add(key)
    timer ??= setTimeout(flush, 2_000)
  }

  const source = new EventSource('/api/live')
  source.onopen = () => {
    if (connection.value === 'lost') void client.invalidateQueries()
    connection.value = 'open'
  }
  source.onerror = () => (connection.value = 'lost')
  source.addEventListener('job', (event) => {
    const job = readJob(JSON.parse(event.data) as SentJob)
    applyJob(client, job)
    // Each step of it is another time of day.
    if (job.kind === 'demo.pass') invalidate(queryKeys.setup)
    if (!isOpen(job)) {
      void client.invalidateQueries({ queryKey: queryKeys.imports })
      void client.invalidateQueries({ queryKey: queryKeys.setup })
    }
  })
  source.addEventListener('change', (event) => {
    const { topics } = JSON.parse(event.data) as { topics: string[] }
    invalidate(topics.flatMap((topic) => topicKeys[topic] ?? [topic]))
  })
  onScopeDispose(() => {
    source.close()
    clearTimeout(timer)
  })
}
