import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startPostgres, type PostgresServer } from './postgres-server.ts'
import { administer, databasePrefix, runHeader } from './postgres.ts'

interface Desk {
  url: string
  users: number
  close(): Promise<void>
}

const forgottenAfterMs = 60 * 60 * 1000

// Vitest calls this once for every project; all of them use one server, which only starts when a test asks for it.
const registry = globalThis as typeof globalThis & { huitouPostgresDesk?: Promise<Desk> }

/** Vitest's global set-up: gives the tests of a run one PostgreSQL server between them. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  registry.huitouPostgresDesk ??= openDesk()
  const desk = await registry.huitouPostgresDesk
  desk.users++
  project.provide('postgresDesk', desk.url)
  return async () => {
    if (--desk.users > 0) return
    delete registry.huitouPostgresDesk
    await desk.close()
  }
}

async function openDesk(): Promise<Desk> {
  let running: Promise<PostgresServer> | undefined
  const run = Date.now().toString(36)
  const server = createServer((_request, response) => {
    response.setHeader(runHeader, run)
    running ??= provide()
    running.then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(`PostgreSQL did not start: ${String(error)}`),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    users: 0,
    async close() {
      server.closeAllConnections()
      server.close()
      await running?.then((postgres) => postgres.stop()).catch(() => {})
    },
  }
}

async function provide(): Promise<PostgresServer> {
  const external = process.env.HUITOU_TEST_POSTGRES_URL
  if (!external) return await startPostgres()
  await dropForgotten(external)
  return { url: external, stop: async () => {} }
}

async function dropForgotten(server: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  const { rows } = await client.query<{ datname: string }>(
    `select datname from pg_database where datname like '${databasePrefix.replaceAll('_', '\\_')}%'`,
  )
  await client.end()
  for (const { datname } of rows) {
    const made = Number.parseInt(datname.slice(databasePrefix.length), 36)
    if (Date.now() - made < forgottenAfterMs) continue
    await administer(server, `drop database if exists "${datname}" with (force)`)
  }
}
