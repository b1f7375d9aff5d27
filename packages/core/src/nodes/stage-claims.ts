import type { AppError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { type Claim, underClaim, withoutClaim } from '../db/claims.ts'
import { type Database, transact, type Tx } from '../db/database.ts'
import type { Stage } from '../loop.ts'
import { sharedNow } from './queries.ts'

/** Stages that one node at a time may do, because each reads a log in its order and follows one with its own. */
export const CLAIMED_STAGES = ['profiles', 'scores', 'segments', 'journeys', 'tasks'] as const

/**
 * The stages that this node has. They are divided evenly among the nodes that live; those of a dead one are taken over.
 * On SQLite the only node has them all.
 */
export class StageClaims {
  readonly #database: Database
  readonly #nodeId: string
  readonly #mine = new Map<string, Claim>()
  readonly #taken = new Map<string, Claim>()
  #refreshing: Promise<boolean> | undefined
  #isOver = false
  /** Whether no other worker misses fewer of the plugins that are wished. */
  isFit = true
  #wants = false

  constructor(database: Database, nodeId: string) {
    this.#database = database
    this.#nodeId = nodeId
  }

  /** From now on this node takes its share. */
  async begin(): Promise<void> {
    this.#wants = true
    await this.refresh()
  }

  /** Stages that it has now. */
  list(): string[] {
    return [...this.#mine.keys()]
  }

  /** A stage that all workers share, row by row; one that others are fitter for it leaves to them. */
  share(stage: Stage): Stage {
    return { name: stage.name, advance: async () => this.isFit && (await stage.advance()) }
  }

  /** The stage as it is advanced by whoever has it: by others it is passed over. */
  guard(stage: Stage): Stage {
    if (this.#database.engine === 'sqlite') return stage
    return {
      name: stage.name,
      advance: async () => {
        const claim = this.#mine.get(stage.name)
        if (!claim) return false
        try {
          return await underClaim(claim, () => stage.advance())
        } catch (error) {
          if ((error as AppError).code !== 'E_CLAIM_LOST') throw error
          this.#mine.delete(stage.name)
          return false
        }
      },
    }
  }

  /** Takes what is free and gives up what is more than this node's share. Returns whether anything changed hands. */
  async refresh(): Promise<boolean> {
    if (this.#database.engine === 'sqlite' || !this.#wants || this.#isOver) return false
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined))
    return await this.#refreshing
  }

  /** Gives everything back and takes nothing any more. */
  async releaseAll(): Promise<void> {
    this.#isOver = true
    await this.#refreshing?.catch(() => {})
    const had = [...this.#mine.keys()]
    this.#mine.clear()
    if (had.length > 0) await this.#release(this.#database.db, had)
  }

  async #refresh(): Promise<boolean> {
    this.#taken.clear()
    // A beat of the heart may fall into a stage's turn, whose claim is nothing to this.
    const changed = await withoutClaim(() => transact(this.#database.db, (tx) => this.#share(tx)))
    // Only what was committed is had.
    for (const [stage, claim] of this.#taken) this.#mine.set(stage, claim)
    return changed
  }

  async #share(tx: Tx): Promise<boolean> {
    await tx
      .insertInto('stage_claims')
      .values(CLAIMED_STAGES.map((stage) => ({ stage, node_id: null, token: 0, since: 0 })))
      .onConflict((conflict) => conflict.column('stage').doNothing())
      .execute()
    const workers = await tx
      .selectFrom('nodes')
      .select(['id', 'missing'])
      .where('role', '!=', 'web')
      .where('dead_at', '>', sharedNow(tx))
      .execute()
    const least = Math.min(...workers.map(({ missing }) => missing))
    const living = new Set(workers.filter(({ missing }) => missing === least).map(({ id }) => id))
    this.isFit = living.has(this.#nodeId) || !workers.some(({ id }) => id === this.#nodeId)
    const claims = await tx.selectFrom('stage_claims').selectAll().orderBy('stage').execute()
    this.#forgetLost(claims)
    // Whoever the others count as dead takes nothing: they would take it back at once.
    const share = living.has(this.#nodeId) ? Math.ceil(CLAIMED_STAGES.length / living.size) : 0
    const excess = this.list().slice(share)
    if (excess.length > 0) {
      // First forgotten, then given back: in between nobody has it.
      for (const stage of excess) this.#mine.delete(stage)
      await this.#release(tx, excess)
      return true
    }
    const free = claims.filter(({ node_id }) => node_id === null || !living.has(node_id))
    return await this.#take(tx, free, share - this.#mine.size)
  }

  /** What somebody else took meanwhile, or what an older number says. */
  #forgetLost(claims: readonly { stage: string; node_id: string | null; token: number }[]): void {
    for (const { stage, node_id, token } of claims) {
      if (node_id !== this.#nodeId || this.#mine.get(stage)?.token !== token) this.#mine.delete(stage)
    }
  }

  /**
   * Takes up to `count` of the free ones. One whose holder is in the middle of a transaction is left for the next look:
   * the database ends that transaction when it hears nothing of it.
   */
  async #take(tx: Tx, free: readonly { stage: string; token: number }[], count: number): Promise<boolean> {
    if (count <= 0 || free.length === 0) return false
    const unlocked = await tx
      .selectFrom('stage_claims')
      .select(['stage', 'token'])
      .where(
        'stage',
        'in',
        free.map(({ stage }) => stage),
      )
      .orderBy('stage')
      .limit(count)
      .forUpdate()
      .skipLocked()
      .execute()
    const same = unlocked.filter(({ stage, token }) =>
      free.some((one) => one.stage === stage && one.token === token),
    )
    if (same.length === 0) return false
    await tx
      .updateTable('stage_claims')
      .set({ node_id: this.#nodeId, token: sql`token + 1`, since: sharedNow(tx) })
      .where(
        'stage',
        'in',
        same.map(({ stage }) => stage),
      )
      .execute()
    for (const { stage, token } of same) this.#taken.set(stage, { stage, token: token + 1 })
    return true
  }

  async #release(db: Database['db'] | Tx, stages: string[]): Promise<void> {
    await db
      .updateTable('stage_claims')
      .set({ node_id: null })
      .where('stage', 'in', stages)
      .where('node_id', '=', this.#nodeId)
      .execute()
  }
}
