import { type RawBuilder, sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { type Db, transact } from '../db/database.ts'
import { type Alert, reconcile, type Reconciled } from './alerts.ts'
import { HOUR_MS, readFacts, type Surroundings } from './facts.ts'
import { applyRules } from './rules.ts'
import type { StageHealth } from './stage-health.ts'
import { readAlertSettings } from './thresholds.ts'

export type WatchDeps = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points' | 'log'> & {
  dataDir: string
  health: StageHealth
}

/** Not the core's clock, which the demo shop winds forward. */
interface WatchClocks {
  /** The machine's, which somebody may set. */
  wall(): number
  /** One that nobody sets. */
  steady(): number
}

const KEPT_HOURS = 5 * 7 * 24
const TELL_MS = 10_000
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
    // Not waited for: whoever is told may be slow, and the rules are to be applied again in a minute.
    if (settings.webhook !== '') void this.#tell(settings.webhook, outcome)
    return outcome
  }

  /** How far the clock moved more, or less, than time did since the last look. */
  #jump(): number {
    const clock = this.#clocks.wall()
    const steady = this.#clocks.steady()
    const last = this.#last
    this.#last = { clock, steady }
    return last ? clock - last.clock - (steady - last.steady) : 0
  }

  async #tell(address: string, { raised, resolved }: Reconciled): Promise<void> {
    const { database, clock, brand, log } = this.#deps
    const { publicUrl } = await brand()
    for (const alert of [...raised, ...resolved]) {
      try {
        const answer = await fetch(address, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(toMessage(alert, publicUrl)),
          signal: AbortSignal.timeout(TELL_MS),
          redirect: 'manual',
        })
        if (!answer.ok) throw new Error(`answered ${answer.status}`)
        await database.db
          .updateTable('alerts')
          .set({ told_at: clock.now() })
          .where('id', '=', alert.id)
          .execute()
      } catch (error) {
        log.warn({ kind: alert.kind, error: String(error) }, 'An alert could not be told')
      }
    }
  }
}

/** Chat programs show `text`; programs read the rest. */
function toMessage({ id, kind, subject, severity, title, advice, resolvedAt, raisedAt }: Alert, url = '') {
  const mark = resolvedAt === null ? '⚠' : '✓'
  return {
    text: `${mark} ${title.en} / ${title['zh-CN']}`,
    state: resolvedAt === null ? 'raised' : 'resolved',
    id,
    kind,
    subject,
    severity,
    title,
    advice,
    raisedAt,
    resolvedAt,
    ...(url ? { url: `${url}/settings/alerts` } : {}),
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
