import { userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { Job } from '../jobs/jobs.ts'
import type { Collections } from './collections.ts'
import type { Definition } from './definition.ts'
import type { Filter } from './filter.ts'
import type { Author } from './record.ts'

type Context = Pick<CoreContext, 'jobs'> & { collections: Collections }

const DELETE = 'collection.delete'
const STEP = 500

/**
 * Begins to delete all records that fit. What one was told, `expected`, must still be so: more or fewer is
 * `E_COUNT_CHANGED`, and nothing is deleted.
 */
export async function startBulkDelete(
  { jobs, collections }: Context,
  { id, declaration }: Definition,
  { filter, expected, by }: { filter: Filter; expected: number; by: Author },
): Promise<Job> {
  const count = await collections.count(id, { filter })
  if (count !== expected) {
    throw userError('E_COUNT_CHANGED', `${count} records would be deleted, not ${expected}`, {
      status: 409,
      details: { count, expected },
      hint: 'Look again and confirm the new number.',
    })
  }
  return await jobs.enqueue({
    kind: DELETE,
    title: JSON.stringify(declaration.title),
    payload: { collection: id, filter, expected, by },
  })
}

export function defineBulkDelete({ jobs, collections }: Context): void {
  jobs.define(DELETE, async ({ job, signal, progress }) => {
    const { collection, filter, expected, by } = job.payload as {
      collection: string
      filter: Filter
      expected: number
      by: Author
    }
    let { done: deleted } = job.progress
    // Never more than was confirmed, whatever is added meanwhile.
    while (!signal.aborted && deleted < expected) {
      const limit = Math.min(STEP, expected - deleted)
      const { records } = await collections.find(collection, { filter, limit, fields: [] })
      if (records.length === 0) break
      const ids = records.map(({ id }) => id)
      deleted += await collections.delete(collection, ids, { by })
      progress({ done: deleted, total: expected, unit: 'rows' })
      await new Promise<void>((resolve) => void setImmediate(resolve))
    }
    return { deleted }
  })
}
