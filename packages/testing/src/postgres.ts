import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to ask for the PostgreSQL server of this run; the first question starts it. */
    postgresDesk?: string
  }
}

export interface PostgresDatabase {
  url: string
  drop(): Promise<void>
}

/** Names of databases that tests made, with the time in base 36, so that a later run can tell a forgotten one. */
export const databasePrefix = 'huitou_test_'

/**
 * An empty PostgreSQL database of its own, on the one server of this test run. Call it once a test file and `drop`
 * it in `afterAll`. `HUITOU_TEST_POSTGRES_URL` names a server to use instead of the one that tests bring along.
 */
export async function createPostgresDatabase(): Promise<PostgresDatabase> {
  const server = await serverUrl()
  const name = `${databasePrefix}${Date.now().toString(36)}_${randomBytes(4).toString('hex')}`
  await administer(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    // Force: a pool that a failed test left open must not keep the database.
    drop: () => administer(server, `drop database if exists ${name} with (force)`),
  }
}

async function serverUrl(): Promise<string> {
  const desk = inject('postgresDesk')
  if (!desk) {
    throw new Error('Tests on PostgreSQL run from the root of the repository: npx vitest run --project NAME')
  }
  const answer = await fetch(desk)
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return text
}

/** Runs one statement that belongs to the server, not to a database. */
export async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
