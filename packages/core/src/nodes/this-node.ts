import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { userError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { v7 as uuid } from 'uuid'
import type { Logger } from '../context.ts'
import { type Database, transact, type Tx } from '../db/database.ts'
import { lockFolder, placeOf } from './folder-lock.ts'
import { type PluginOnNode, sharedNow } from './queries.ts'
import { StageClaims } from './stage-claims.ts'
import type { NodeRole } from './tables.ts'

/** Beats of the heart before a silence means death. */
const BEATS = 7
/** The part of a silence after which a node counts itself as cut off, before the others do. */
const CUT_OFF = 0.8
/** Dead nodes are kept in the list for a day: somebody may ask what became of them. */
const FORGET_MS = 86_400_000

export interface NodeOptions {
  database: Database
  dataDir: string
  role: NodeRole
  version: string
  /** What sessions and sealed settings rest on; the same on every node. */
  secret: string
  log: Logger
}

/** Nodes of this very process: tests run several. */
const here = new Set<string>()

/** This process among those that share its database. */
export class ThisNode {
  readonly id = uuid()
  readonly role: NodeRole
  readonly place: string
  readonly claims: StageClaims
  readonly #options: NodeOptions
  readonly #stop = new AbortController()
  #lock: Disposable | undefined
  #ended: Promise<void> | undefined
  #heardAt = 0
  #isCutOff = false
  #told = ''

  private constructor(options: NodeOptions) {
    this.#options = options
    this.role = options.role
    this.place = placeOf(options.dataDir)
    this.claims = new StageClaims(options.database, this.id)
  }

  /**
   * Joins the others. Throws `E_SECOND_NODE` on SQLite, which is for one server, and `E_NODE_SECRET` when the nodes that
   * live have another secret.
   */
  static async join(options: NodeOptions): Promise<ThisNode> {
    const node = new ThisNode(options)
    const { database, dataDir } = options
    if (database.engine === 'sqlite') node.#lock = lockFolder(dataDir)
    try {
      await database.notices.open()
      await transact(database.db, (tx) => node.#enter(tx))
    } catch (error) {
      node.#lock?.[Symbol.dispose]()
      await database.notices.close()
      throw error
    }
    here.add(node.id)
    node.#heardAt = performance.now()
    node.#ended = node.#beat()
    database.notices.on('nodes', () => void node.#lookAtClaims())
    database.notices.on('missed', () => void node.#lookAtClaims())
    database.notices.tell('nodes')
    return node
  }

  get #silenceMs(): number {
    return this.#options.database.silenceMs
  }

  /** Whether the database has been heard lately: a node that is cut off starts nothing. */
  get isConnected(): boolean {
    return !this.#isCutOff
  }

  /**
   * Whether it does what any worker may do. One that answers HTTP does not, nor does one that misses more plugins than
   * another: it would leave out what they say.
   */
  get takesAll(): boolean {
    return this.role !== 'web' && this.isConnected && this.claims.isFit
  }

  /** Says which plugins run here, and how many that are wished do not; other nodes and people see it. */
  async tellPlugins(plugins: Record<string, PluginOnNode>, missing: number): Promise<void> {
    const told = { plugins: JSON.stringify(plugins), missing }
    if (JSON.stringify(told) === this.#told) return
    const { db, notices } = this.#options.database
    await db.updateTable('nodes').set(told).where('id', '=', this.id).execute()
    this.#told = JSON.stringify(told)
    notices.tell('nodes')
    notices.tell('live', 'plugins')
    await this.#lookAtClaims()
  }

  /** Gives back what it held and leaves, so that others need not wait for its silence. */
  async leave(): Promise<void> {
    this.#stop.abort()
    here.delete(this.id)
    await this.#ended
    const { db, notices } = this.#options.database
    try {
      await this.claims.releaseAll()
      await db.deleteFrom('nodes').where('id', '=', this.id).execute()
    } catch {
      // A database that is away hears of it by the silence.
    }
    notices.tell('nodes')
    await notices.close()
    this.#lock?.[Symbol.dispose]()
  }

  async #enter(tx: Tx): Promise<void> {
    const { role, version, secret, database } = this.#options
    const fingerprint = createHash('sha256').update(`huitou node ${secret}`).digest('base64url').slice(0, 16)
    const machine = machineName()
    await buryNeighbours(tx, database.engine === 'sqlite' ? undefined : machine)
    await tx.deleteFrom('nodes').where('seen_at', '<', before(tx, FORGET_MS)).execute()
    const other = await tx
      .selectFrom('nodes')
      .select(['id', 'machine'])
      .where('secret', '!=', fingerprint)
      .where('dead_at', '>', sharedNow(tx))
      .executeTakeFirst()
    if (other) {
      throw userError('E_NODE_SECRET', 'The servers on this database have another secret than this one', {
        status: 409,
        hint: 'Set the same HUITOU_SECRET for all of them; without it each data folder has one of its own.',
      })
    }
    await tx
      .insertInto('nodes')
      .values({
        id: this.id,
        machine,
        host: hostname(),
        pid: process.pid,
        role,
        version,
        place: this.place,
        secret: fingerprint,
        started_at: sharedNow(database.db),
        seen_at: sharedNow(database.db),
        dead_at: sql<number>`${sharedNow(tx)} + ${sql.lit(this.#silenceMs)}`,
        plugins: '{}',
        missing: 0,
      })
      .execute()
  }

  async #beat(): Promise<void> {
    const { signal } = this.#stop
    const { database, log } = this.#options
    while (!signal.aborted) {
      await sleep(this.#silenceMs / BEATS, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      try {
        await this.#saySo()
        this.#heardAt = performance.now()
        if (this.#isCutOff) log.info({}, 'The database answers again')
        this.#isCutOff = false
        await this.#lookAtClaims()
      } catch (error) {
        if (performance.now() - this.#heardAt < this.#silenceMs * CUT_OFF) continue
        // Queries that wait for an answer would wait for many minutes; whoever asked tries again.
        database.cutOff()
        if (!this.#isCutOff) log.error({ error: String(error) }, 'The database does not answer')
        this.#isCutOff = true
      }
    }
  }

  /** Takes what is free and gives up what is too much. What goes wrong is met again at the next beat. */
  async #lookAtClaims(): Promise<void> {
    if (this.#stop.signal.aborted || this.#isCutOff) return
    const { database, log } = this.#options
    try {
      if (await this.claims.refresh()) database.notices.tell('nodes')
    } catch (error) {
      log.warn({ error: String(error) }, 'Claims of stages')
    }
  }

  async #saySo(): Promise<void> {
    const { database } = this.#options
    // There is nobody else to hear it.
    if (database.engine === 'sqlite') return
    const rows = await database.notices.ask<{ id: string }>(
      `update nodes set seen_at = now.ms, dead_at = now.ms + $2
         from (select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms) now
        where id = $1 returning id`,
      [this.id, this.#silenceMs],
    )
    // Others may have buried a node that was silent for a day, or a restored database may not know it.
    if (rows.length > 0) return
    await transact(database.db, (tx) => this.#enter(tx))
    this.#told = ''
  }
}

/** The moment `ms` ago, by the clock that all nodes see. */
function before(tx: Tx, ms: number) {
  return sql<number>`${sharedNow(tx)} - ${sql.lit(ms)}`
}

/**
 * Removes nodes of this machine whose process is gone: what they held is free at once, and not after their silence.
 * On SQLite whoever has the folder's lock is alone.
 */
async function buryNeighbours(tx: Tx, machine: string | undefined): Promise<void> {
  let query = tx.selectFrom('nodes').select(['id', 'pid'])
  if (machine !== undefined) query = query.where('machine', '=', machine)
  const gone = (await query.execute()).filter(
    ({ id, pid }) => machine === undefined || (!here.has(id) && (pid === process.pid || !isAlive(pid))),
  )
  if (gone.length === 0) return
  await tx
    .deleteFrom('nodes')
    .where(
      'id',
      'in',
      gone.map(({ id }) => id),
    )
    .execute()
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The same for processes that see each other's ids, and for no others: containers may share a host's name. */
function machineName(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${hostname()} ${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}
