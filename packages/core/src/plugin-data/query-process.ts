import { Worker } from 'node:worker_threads'

/**
 * Entry of the process that plugins' queries run in on SQLite. Nothing ends a query that SQLite has begun, except
 * the end of its process; so the query runs in a thread, and this one is free to see that nobody waits any more.
 */
/** Sorting and grouping happen in memory; a query that needs this much is ended. */
const MEMORY_LIMIT = 1_024 * 1_024 * 1_024

const [file = ''] = process.argv.slice(2)
const reader = new Worker(new URL('./query-reader.ts', import.meta.url), { workerData: { file } })
reader.on('message', (answer: unknown) => process.send?.(answer))
reader.on('error', (error) => {
  throw error
})
process.on('message', (request) => reader.postMessage(request))
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
setInterval(() => {
  if (process.memoryUsage.rss() > MEMORY_LIMIT) process.kill(process.pid, 'SIGKILL')
}, 200).unref()
