import { userError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import type { JobsBackend } from './boss-queue.ts'

const NAMES: Readonly<Record<JobsBackend, string>> = {
  postgres: 'PostgreSQL',
  citus: 'Citus',
  yugabytedb: 'YugabyteDB',
  cockroachdb: 'CockroachDB',
}

/**
 * Throws `E_JOBS_ENGINE` when pg-boss would speak to another engine than the one that is there: it would do so at first,
 * and jobs would be lost or done twice later.
 */
export async function checkJobsBackend(db: Db, wanted: JobsBackend): Promise<void> {
  const { rows } = await sql<{ version: string; citus: boolean }>`
    select version() as version,
           exists (select 1 from pg_extension where extname = 'citus') as citus`.execute(db)
  const { version = '', citus = false } = rows[0] ?? {}
  const found = engineIn(version, citus)
  // Tables that nobody distributed are PostgreSQL's, with Citus beside them or not.
  if (found === wanted || (found === 'citus' && wanted === 'postgres')) return
  throw userError(
    'E_JOBS_ENGINE',
    `HUITOU_JOBS_BACKEND is "${wanted}" (${NAMES[wanted]}), and DATABASE_URL leads to ${NAMES[found]}`,
    {
      details: { wanted: NAMES[wanted], found: NAMES[found], backend: found },
      hint:
        found === 'postgres'
          ? 'Leave HUITOU_JOBS_BACKEND out, or set it to postgres.'
          : `Set HUITOU_JOBS_BACKEND=${found}.`,
    },
  )
}

/** The engine by what it says of itself. */
export function engineIn(version: string, citus: boolean): JobsBackend {
  if (/cockroach/i.test(version)) return 'cockroachdb'
  if (/-YB-|yugabyte/i.test(version)) return 'yugabytedb'
  return citus ? 'citus' : 'postgres'
}
