import { cpSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { type Cluster, makeCluster } from './postgres-server.ts'

/** A PostgreSQL server that keeps what it acknowledged, for tests that take it away. */
export interface DurablePostgres {
  readonly port: number
  url(port?: number): string
  /** Ends it at once, as a crash does, and starts it again. */
  restart(): Promise<void>
  /**
   * Copies it while it runs, and lets the copy follow: from then on a commit is acknowledged when both have it.
   * Resolves when it has caught up.
   */
  addStandby(): Promise<{
    readonly port: number
    /** The first one dies for good, and the copy is the database from now on. */
    takeOver(): Promise<void>
  }>
  stop(): Promise<void>
}

/** Writes on commit, without waiting for the disk: the machine itself does not crash in tests. */
const DURABLE = [
  'fsync=off',
  'full_page_writes=off',
  'max_connections=200',
  'wal_level=replica',
  'max_wal_senders=4',
  'hot_standby=on',
]

export async function startDurablePostgres(): Promise<DurablePostgres> {
  const first = await makeCluster(DURABLE)
  await first.start()
  const copies: Cluster[] = []
  const urlOf = (port: number) => `postgres://huitou@127.0.0.1:${port}/postgres`
  return {
    port: first.port,
    url: (port = first.port) => urlOf(port),
    async restart() {
      await first.kill()
      await first.start()
    },
    async addStandby() {
      const copy = await makeCluster(DURABLE, { empty: true })
      copies.push(copy)
      const client = new pg.Client({ connectionString: urlOf(first.port) })
      await client.connect()
      try {
        await client.query(`select pg_backup_start('copy', true)`)
        cpSync(first.data, copy.data, { recursive: true })
        const { rows } = await client.query<{ labelfile: string }>(
          'select labelfile from pg_backup_stop(false)',
        )
        rmSync(path.join(copy.data, 'postmaster.pid'), { force: true })
        writeFileSync(path.join(copy.data, 'backup_label'), rows[0]?.labelfile ?? '')
        writeFileSync(path.join(copy.data, 'standby.signal'), '')
        writeFileSync(
          path.join(copy.data, 'postgresql.auto.conf'),
          `primary_conninfo = 'host=127.0.0.1 port=${first.port} user=huitou application_name=copy'\n`,
        )
        copy.own()
        await copy.start()
        await client.query(`alter system set synchronous_standby_names = 'copy'`)
        await client.query('select pg_reload_conf()')
        for (let state = ''; state !== 'sync';) {
          const found = await client.query<{ sync_state: string }>(
            'select sync_state from pg_stat_replication',
          )
          state = found.rows[0]?.sync_state ?? ''
        }
      } finally {
        await client.end()
      }
      return {
        port: copy.port,
        async takeOver() {
          await first.kill()
          await copy.promote()
        },
      }
    },
    async stop() {
      for (const cluster of [first, ...copies]) await cluster.remove()
    },
  }
}
