import { type RawBuilder, sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { type Db, transact } from '../db/database.ts'
import { reconcile, type Reconciled } from './alerts.ts'
import { HOUR_MS, readFacts, type Surroundings } from './facts.ts'
import { applyRules } from './rules.ts'
import { planNotices } from './notices.ts'
import type { StageHealth } from './stage-health.ts'
import { targetsOf } from './targets.ts'
import { tellAll, type TellDeps } from './tell.ts'
import { readAlertSettings } from './thresholds.ts'

export type WatchDeps = TellDeps & Pick<CoreContext, 'points'> & { dataDir: string; health: StageHealth }

/** Not the core's clock, which the demo shop winds forward. */
interface WatchClocks {
  /** The machine's, which somebody may set. */
  wall(): number
  /** One that nobody sets. */
  steady(): number
}

const KEPT_HOURS = 5 * 7 * 24
/** What steps of deliveries are counted as. */
const STEPS: Record<string, string> = {
  sent: 'sent',
  failed: 'failed',
  dead: 'failed',
  delivered: 'receipt',
  read: 'receipt',
  bounced: 'receipt',
}

/** Looks after the installation: applies the rules to it every minute and keeps what they say as alerts. */
export class Watch {
  readonly #deps: WatchDeps
  readonly #listeners = new Set<() => void>()
  #surroundings: () => Promise<Surroundings> = async () => ({ plugins: [], backupsPlanned: false })
  #last: { clock: number; steady: number } | undefined
  readonly #clocks: WatchClocks
  #telling: Promise<void> | undefined
  #hasMore = false

  constructor(deps: WatchDeps, clocks: WatchClocks = { wall: Date.now, steady: () => performance.now() }) {
    this.#deps = deps
    this.#clocks = clocks
  }

  /** Says where to read what only the server knows. */
  surround(read: () => Promise<Surroundings>): void {
    this.#surroundings = read
  }

  /** Called when alerts were raised, resolved or acknowledged. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  changed(): void {
    for (const listener of this.#listeners) listener()
  }

  /** One look. On one node at a time; the schedule sees to that. */
  async look(): Promise<Reconciled> {
    const { database, clock, health, log } = this.#deps
    const { db } = database
    await countHours(db, clock.now())
    const facts = await readFacts(this.#deps, {
      surroundings: await this.#surroundings(),
      troubles: health.troubles(),
      clockJump: this.#jump(),
    })
    const settings = await readAlertSettings(db)
    const outcome = await reconcile(db, applyRules(facts, settings), clock.now())
    for (const { kind, subject, severity } of outcome.raised) log.warn({ kind, subject, severity }, 'Alert')
    for (const { kind, subject } of outcome.resolved) log.info({ kind, subject }, 'Alert is over')
    if (outcome.raised.length + outcome.resolved.length > 0) this.changed()
    await planNotices(db, outcome, { targets: targetsOf(settings), now: clock.now() })
    // Not waited for: whoever is told may be slow, and the rules are to be applied again in a minute.
    void this.tell()
    return outcome
  }

  /** Tells everybody what waits for them, also what comes in line while it is under way. */
  async tell(): Promise<void> {
    this.#hasMore = true
    this.#telling ??= this.#tell().finally(() => (this.#telling = undefined))
    await this.#telling
  }

  async #tell(): Promise<void> {
    while (this.#hasMore) {
      this.#hasMore = false
      try {
        await tellAll(this.#deps)
      } catch (error) {
        this.#deps.log.warn({ error: String(error) }, 'Alerts could not be told')
      }
    }
  }

  /** How far the clock moved more, or less, than time did since the last look. */
  #jump(): number {
    const clock = this.#clocks.wall()
    const steady = this.#clocks.steady()
    const last = this.#last
    this.#last = { clock, steady }
    return last ? clock - last.clock - (steady - last.steady) : 0
  }
}

/** Adds what came since the last look to the present hour. */
async function countHours(db: Db, now: number): Promise<void> {
  const hour = Math.floor(now / HOUR_MS)
  await transact(db, async (tx) => {
    const position = async (name: string, last: RawBuilder<number>) => {
      const { last: newest } = await tx.selectNoFrom(last.as('last')).executeTakeFirstOrThrow()
      const to = Number(newest ?? 0)
      const known = await tx
        .selectFrom('cursors')
        .select('position')
        .where('name', '=', name)
        .executeTakeFirst()
      await tx
        .insertInto('cursors')
        .values({ name, position: to, details: null })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ position: to }))
        .execute()
      // The first look only begins: what lies there came at some time or other.
      return { from: known?.position ?? to, to }
    }
    const events = await position('watch:events', sql<number>`(select max(seq) from events)`)
    const counts: Record<string, number> = {}
    if (events.to > events.from) {
      const row = await tx
        .selectFrom('events')
        .select((query) => query.fn.countAll<number>().as('n'))
        .where('seq', '>', events.from)
        .where('seq', '<=', events.to)
        // What is imported comes when somebody pleases, and says nothing of what is usual.
        .where('source', 'not like', 'import:%')
        .executeTakeFirstOrThrow()
      counts['events'] = Number(row.n)
    }
    const steps = await position('watch:deliveries', sql<number>`(select max(id) from delivery_events)`)
    if (steps.to > steps.from) {
      const rows = await tx
        .selectFrom('delivery_events')
        .select((query) => ['kind', query.fn.countAll<number>().as('n')])
        .where('id', '>', steps.from)
        .where('id', '<=', steps.to)
        .groupBy('kind')
        .execute()
      for (const { kind, n } of rows) {
        const name = STEPS[kind]
        if (name) counts[name] = (counts[name] ?? 0) + Number(n)
      }
    }
    for (const [kind, count] of Object.entries(counts)) {
      await tx
        .insertInto('watch_hours')
        .values({ kind, hour, count })
        .onConflict((conflict) =>
          conflict.columns(['kind', 'hour']).doUpdateSet({ count: sql`watch_hours.count + ${count}` }),
        )
        .execute()
    }
    await tx
      .deleteFrom('watch_hours')
      .where('hour', '<', hour - KEPT_HOURS)
      .execute()
  })
}
