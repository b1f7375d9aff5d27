import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import {
  copySqlite,
  coreMigrations,
  type Database,
  findSetting,
  listWished,
  type MigrationPlan,
  openDatabase,
  planMigrations,
  tryMigrations,
} from '@huitou/core'
import { apiVersion, AppError } from '@huitou/plugin-api'
import { checkEngine, readManifest } from '@huitou/plugin-host'
import { PluginStore } from '@huitou/plugin-host/install'
import type { Config } from '../config.ts'
import { openHuitou } from '../open-huitou.ts'
import { version } from '../version.ts'
import { VERSION_SETTING } from './last-version.ts'

/** What the next start of this version would do to a database, and whether that works. */
export interface UpgradeCheck {
  ok: boolean
  version: string
  /** Version that served this database last; null when none says so. */
  writtenBy: string | null
  migrations: MigrationPlan
  /** How the same went on a copy; null when none was made. */
  trial: { ok: boolean; tookMs: number; reason: string | null } | null
  disk: { free: number; needed: number; ok: boolean }
  plugins: { id: string; version: string; ok: boolean; reason: string | null }[]
}

const silent = { info: () => {}, warn: () => {}, error: () => {} }

/**
 * Tries the upgrade to this version out. A SQLite database is copied into the data folder, brought up to date there and
 * thrown away; on PostgreSQL the same happens in a transaction that is taken back. The database itself stays as it is.
 */
export async function checkUpgrade(config: Config): Promise<UpgradeCheck> {
  return config.databaseUrl ? await checkPostgres(config, config.databaseUrl) : await checkSqlite(config)
}

async function checkSqlite(config: Config): Promise<UpgradeCheck> {
  const file = path.join(config.dataDir, 'huitou.db')
  const disk = await roomFor(config, file)
  // Not elsewhere: the copy holds personal data, and this folder is guarded.
  const scratch = await mkdtemp(path.join(config.dataDir, 'upgrade-check-'))
  try {
    const copy = path.join(scratch, 'huitou.db')
    if (!disk.ok) {
      const database = openDatabase({ file, readers: 1 })
      return await using(database, async () => summarize(await lookAt(database, config), disk, null))
    }
    await copySqlite(file, copy)
    await chmod(copy, 0o600)
    const database = openDatabase({ file: copy, readers: 1 })
    const facts = await using(database, () => lookAt(database, config))
    const trial =
      facts.migrations.unknown.length > 0
        ? null
        : await timed(async () => {
            await using huitou = await openHuitou({
              config: { ...config, dataDir: scratch },
              log: silent,
            })
            await huitou.auth()
          })
    return summarize(facts, disk, trial)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function checkPostgres(config: Config, url: string): Promise<UpgradeCheck> {
  const database = openDatabase({ url, poolSize: 2 })
  return await using(database, async () => {
    const facts = await lookAt(database, config)
    const { unknown, applied } = facts.migrations
    const isFirst = applied.length === 0
    const trial =
      unknown.length > 0 || isFirst
        ? null
        : await timed(() => tryMigrations(database, facts.migrations, coreMigrations))
    return summarize(facts, await roomFor(config), trial)
  })
}

type Facts = Pick<UpgradeCheck, 'migrations' | 'writtenBy' | 'plugins'>

async function lookAt(database: Database, config: Config): Promise<Facts> {
  const migrations = await planMigrations(database, 'core', coreMigrations)
  if (migrations.applied.length === 0) return { migrations, writtenBy: null, plugins: [] }
  const writtenBy = (await findSetting(database.db, VERSION_SETTING)) as string | undefined
  return { migrations, writtenBy: writtenBy ?? null, plugins: await lookAtPlugins(database, config) }
}

/** Whether each installed plugin that is on can be loaded by this version. */
async function lookAtPlugins({ db }: Database, { dataDir }: Config): Promise<UpgradeCheck['plugins']> {
  const store = new PluginStore(path.join(dataDir, 'plugins'))
  const found: UpgradeCheck['plugins'] = []
  for (const { id, version: own, state, enabled } of await listWished(db)) {
    if (own === null || state !== 'installed' || !enabled) continue
    const reason = await whyNot(store, id, own)
    found.push({ id, version: own, ok: reason === null, reason })
  }
  return found
}

async function whyNot(store: PluginStore, id: string, own: string): Promise<string | null> {
  try {
    checkEngine(await readManifest((await store.get(id, own)).dir), apiVersion)
    return null
  } catch (error) {
    return reasonOf(error)
  }
}

/** A copy of the database and what a migration lays down beside it have to fit. */
async function roomFor({ dataDir }: Config, file?: string): Promise<UpgradeCheck['disk']> {
  const { bavail, bsize } = await statfs(dataDir)
  const sizes = file
    ? await Promise.all([file, `${file}-wal`].filter((name) => existsSync(name)).map((name) => stat(name)))
    : []
  const free = bavail * bsize
  const needed = sizes.reduce((sum, { size }) => sum + size, 0) * 2
  return { free, needed, ok: free > needed }
}

async function timed(work: () => Promise<unknown>): Promise<UpgradeCheck['trial']> {
  const started = performance.now()
  const tookMs = () => Math.round(performance.now() - started)
  try {
    await work()
    return { ok: true, tookMs: tookMs(), reason: null }
  } catch (error) {
    return { ok: false, tookMs: tookMs(), reason: reasonOf(error) }
  }
}

function summarize(facts: Facts, disk: UpgradeCheck['disk'], trial: UpgradeCheck['trial']): UpgradeCheck {
  const isNewer = facts.migrations.unknown.length > 0
  // A first start has nothing to lose, and nothing to try.
  const isTried = trial?.ok === true || facts.migrations.applied.length === 0
  return {
    ok: !isNewer && isTried && disk.ok && facts.plugins.every(({ ok }) => ok),
    version,
    ...facts,
    trial,
    disk,
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AppError) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}

async function using<T>(database: Database, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    await database.close()
  }
}
