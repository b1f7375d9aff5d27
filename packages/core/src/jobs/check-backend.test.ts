import { openTestDatabase } from '@huitou/testing'
import { expect, test } from 'vitest'
import { JOBS_BACKENDS } from './boss-queue.ts'
import { checkJobsBackend, engineIn } from './check-backend.ts'

test('an engine is known by what it says of itself', () => {
  const said = (version: string, citus = false) => engineIn(version, citus)
  expect(said('PostgreSQL 18.1 on x86_64-pc-linux-gnu, compiled by gcc')).toBe('postgres')
  expect(said('PostgreSQL 17.2 on x86_64-pc-linux-gnu', true)).toBe('citus')
  expect(said('PostgreSQL 15.12-YB-2025.1.0.0-b0 on x86_64-pc-linux-gnu')).toBe('yugabytedb')
  expect(said('CockroachDB CCL v25.3.0 (x86_64-pc-linux-gnu, built 2025/08/01)')).toBe('cockroachdb')
})

test('the wrong one is refused at the start, with the one to choose', async () => {
  const { database, remove } = await openTestDatabase('postgres')
  for (const backend of JOBS_BACKENDS) {
    const checked = checkJobsBackend(database.db, backend)
    if (backend === 'postgres') await expect(checked).resolves.toBeUndefined()
    else
      await expect(checked).rejects.toMatchObject({
        code: 'E_JOBS_ENGINE',
        hint: 'Leave HUITOU_JOBS_BACKEND out, or set it to postgres.',
      })
  }
  await database.close()
  await remove()
})
