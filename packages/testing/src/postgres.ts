import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import type { DatabaseTemplate } from './template.ts'

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

/** The server's answer carries the time in base 36 at which the run began. */
export const runHeader = 'huitou-run'

/**
 * A PostgreSQL database of its own, on the one server of this test run: empty, or a copy of `template`, which takes
 * a third of the time that filling it would. `drop` it when the test is over. `HUITOU_TEST_POSTGRES_URL` names a
 * server to use instead of the one that tests bring along.
 */
export async function createPostgresDatabase(template?: DatabaseTemplate): Promise<PostgresDatabase> {
  const { server, run } = await askForServer()
  const name = `${databasePrefix}${Date.now().toString(36)}_${randomBytes(4).toString('hex')}`
  const copied = template ? ` template ${await provideTemplate(server, run, template)}` : ''
  await administer(server, `create database ${name}${copied}`)
  return {
    url: urlOf(server, name),
    // Force: a pool that a failed test left open must not keep the database.
    drop: () => administer(server, `drop database if exists ${name} with (force)`),
  }
}

const provided = new Map<string, Promise<string>>()

function provideTemplate(server: string, run: string, template: DatabaseTemplate): Promise<string> {
  const name = `${databasePrefix}${run}_${template.name}`
  const known = provided.get(name)
  if (known) return known
  const made = makeTemplate(server, name, template)
  provided.set(name, made)
  return made
}

/** Makes the template unless another process of this run has. It appears under its name when it is whole. */
async function makeTemplate(server: string, name: string, { fill }: DatabaseTemplate): Promise<string> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock(hashtext($1))', [name])
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (rowCount) return name
    const partial = `${name}_partial`
    await client.query(`drop database if exists ${partial} with (force)`)
    await client.query(`create database ${partial}`)
    await fill({ url: urlOf(server, partial) })
    await client.query(`alter database ${partial} rename to ${name}`)
    return name
  } finally {
    await client.end()
  }
}

function urlOf(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

async function askForServer(): Promise<{ server: string; run: string }> {
  const desk = inject('postgresDesk')
  if (!desk) {
    throw new Error('Tests on PostgreSQL run from the root of the repository: npx vitest run --project NAME')
  }
  const answer = await fetch(desk)
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return { server: text, run: answer.headers.get(runHeader) ?? '' }
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
