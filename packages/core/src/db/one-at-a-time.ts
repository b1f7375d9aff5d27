import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from './database.ts'

/** Any number, the same on every node: names the lock that starting takes. */
const START_LOCK = 4_711_002
/** A process that was paused in the middle must not keep all others from starting. */
const LONGEST_MS = 60_000
const LOOK_MS = 50

/**
 * Does what brings tables to the form that this version and its plugins need: of processes that start together on
 * PostgreSQL one after the other. On SQLite one process starts.
 */
export async function oneAtATime<T>(database: Database, work: () => Promise<T>): Promise<T> {
  const pool = database.openPool?.(1)
  if (!pool) return await work()
  try {
    const client = await pool.connect()
    try {
      const begun = performance.now()
      for (let has = false; !has && performance.now() - begun < LONGEST_MS;) {
        const { rows } = await client.query<{ has: boolean }>('select pg_try_advisory_lock($1) as has', [
          START_LOCK,
        ])
        has = rows[0]?.has ?? false
        if (!has) await sleep(LOOK_MS)
      }
      return await work()
    } finally {
      // The lock goes with its connection.
      client.release(true)
    }
  } finally {
    await pool.end()
  }
}
