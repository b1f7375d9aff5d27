import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { AppError, userError } from '@huitou/plugin-api'

/** Writes the whole database into a file of pg_dump's own format, as it is at one instant. */
export async function dumpPostgres(url: string, file: string, signal?: AbortSignal): Promise<void> {
  await runTool('pg_dump', ['--format=custom', '--no-owner', '--no-privileges', `--file=${file}`], {
    url,
    signal,
  })
}

/** Fills an empty database from such a file, whole or not at all. */
export async function restorePostgres(url: string, file: string): Promise<void> {
  await runTool(
    'pg_restore',
    ['--no-owner', '--no-privileges', '--single-transaction', '--exit-on-error', file],
    {
      url,
      into: true,
    },
  )
}

/** The address goes through the environment: arguments of a process are seen by everyone on the machine. */
async function runTool(
  tool: string,
  args: readonly string[],
  { url, signal, into = false }: { url: string; signal?: AbortSignal | undefined; into?: boolean },
): Promise<void> {
  const { environment, database } = connectionOf(url)
  const child = spawn(tool, [...args, ...(into ? [`--dbname=${database}`] : [])], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(signal ? { signal } : {}),
  })
  const said = text(child.stderr)
  const code = await once(child, 'exit').then(
    ([exit]) => exit as number | null,
    (error: NodeJS.ErrnoException) => {
      signal?.throwIfAborted()
      throw userError('E_PG_TOOLS', `${tool} cannot be started: ${error.message}`, {
        cause: error,
        hint: 'Install the PostgreSQL client programs of the version that your server has.',
      })
    },
  )
  if (code === 0) return
  const words = (await said).trim().split('\n').slice(0, 3).join(' ')
  throw new AppError('world', 'E_PG_TOOLS', `${tool} gave up: ${words}`, {
    hint: 'Its version has to be that of the server or newer; the database to restore into has to be empty.',
  })
}

function connectionOf(url: string) {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url)
  const database = decodeURIComponent(pathname.slice(1))
  const environment = {
    PGHOST: searchParams.get('host') ?? decodeURIComponent(hostname),
    PGPORT: port || '5432',
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: database,
    ...(searchParams.get('sslmode') ? { PGSSLMODE: searchParams.get('sslmode') ?? '' } : {}),
  }
  return {
    environment: Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== '')),
    database,
  }
}
