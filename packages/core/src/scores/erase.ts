import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'

/** Forgets the runs and the models of all scorers whose columns begin with `prefix`. */
export async function eraseScores(tx: Tx, prefix: string): Promise<void> {
  const start = `${prefix}.`
  for (const table of ['score_runs', 'score_models'] as const)
    await tx
      .deleteFrom(table)
      .where(sql<boolean>`substr(id, 1, ${sql.lit(start.length)}) = ${start}`)
      .execute()
}
