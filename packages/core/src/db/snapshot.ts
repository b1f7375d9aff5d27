import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { SnapshotAnswer, SnapshotRequest, TableSum } from './snapshot-worker.ts'

export type { TableSum } from './snapshot-worker.ts'

const FLUSH_MS = 200

/**
 * Writes a whole copy of a SQLite file as it is at one instant, also while others write to it: they are not held up.
 * `into` must not exist.
 */
export async function copySqlite(file: string, into: string, signal?: AbortSignal): Promise<void> {
  const over = new AbortController()
  const flushed = flushNowAndThen(into, over.signal)
  try {
    await ask({ work: 'copy', file, into }, signal)
  } finally {
    over.abort()
    await flushed
  }
}

/**
 * Brings a file that grows to the disk as it grows. Gigabytes that go there all at once, at the end, keep every commit on
 * the same disk waiting meanwhile.
 */
async function flushNowAndThen(file: string, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await sleep(FLUSH_MS, undefined, { signal: over }).catch(() => {})
    try {
      await using handle = await open(file, 'r+')
      await handle.datasync()
    } catch {
      // Not there yet, or not to be written: whoever writes it will say so.
    }
  }
}

/** What is wrong with a SQLite file, and a checksum of each table that does not depend on where rows lie. */
export async function inspectSqlite(
  file: string,
  { tables, signal }: { tables?: readonly string[]; signal?: AbortSignal | undefined } = {},
): Promise<{ problems: string[]; tables: Record<string, TableSum> }> {
  return await ask({ work: 'inspect', file, tables }, signal)
}

/** SQLite answers when it is done and not before, so it works in a thread of its own. */
async function ask(request: SnapshotRequest, signal?: AbortSignal): Promise<SnapshotAnswer> {
  signal?.throwIfAborted()
  const worker = new Worker(new URL('./snapshot-worker.ts', import.meta.url), { workerData: request })
  const { promise, resolve, reject } = Promise.withResolvers<SnapshotAnswer>()
  const stop = () => {
    reject(signal?.reason as Error)
    void worker.terminate()
  }
  signal?.addEventListener('abort', stop, { once: true })
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('The copy ended before it was whole')))
  try {
    return await promise
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
