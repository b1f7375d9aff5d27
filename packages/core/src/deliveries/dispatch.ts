import { setTimeout as sleep } from 'node:timers/promises'
import type { DeliveryResult, Receipt } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { transact } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'
import type { SecretBox } from './accounts.ts'
import { settleClicks, sweepLinks } from './clicks.ts'
import { urgeConfirmations } from './confirmations.ts'
import { followConsents } from './consents.ts'
import { type ContentRenderer, renderPlainContent } from '../journeys/variables.ts'
import { gatesOf } from './gates.ts'
import { readContactPolicy } from './policy.ts'
import { type Prepared, prepareBatch } from './prepare.ts'
import { recordReceipts } from './receipts.ts'
import { pollAccount, takeDueAccounts } from './poll-accounts.ts'
import { expireLeases, pollMessages, takeDuePolls } from './reconcile.ts'
import { type CallOutcome, recordOutcome } from './record.ts'
import { runActions } from './run-actions.ts'
import { keptSetting } from '../settings/brand.ts'
import { CALL_MS, type DeliveryContext, isLost, LEASE_MS, openSettings } from './worker-context.ts'

/** Calls that one account has under way at once: while some wait for the provider, others are prepared and recorded. */
const CALLS_AT_ONCE = 8
/** Under which calls that ask go; no account is called so. */
const POLLS = ''
/** A lost signal costs this much while calls are under way. */
const LOOK_MS = 1_000
const KEEP_MS = 200
const SWEEP_MS = 3_600_000

export interface DeliveryOptions {
  /** Fills variables in; plain `{{path}}` if absent. */
  render?: ContentRenderer
  box?: SecretBox
}

const openBox: SecretBox = { seal: (text) => text, open: (text) => text }

/** Hands due deliveries to their channels: lease, do, record. */
export class Deliveries {
  readonly context: DeliveryContext
  #rouse: () => void = () => {}
  #sweptAt = 0
  #keptAt = -Infinity
  readonly #underWay = new Map<string, Set<Promise<void>>>()
  /** Accounts whose next messages gates are being asked about. */
  readonly #asking = new Set<string>()
  readonly #restUntil = new Map<string, number>()

  constructor(
    { database, clock, points, log, brand }: CoreContext,
    { render = renderPlainContent, box = openBox }: DeliveryOptions = {},
  ) {
    const policy = keptSetting(() => readContactPolicy(database.db))
    this.context = { database, clock, points, log, brand, policy, render, box }
  }

  /** Starts what is due and waits until one call has come back. Returns whether there was anything to do. */
  async advance(): Promise<boolean> {
    const more = await this.#keepHouse()
    const started = await this.#start()
    const calls = [...this.#underWay.values()].flatMap((set) => [...set])
    if (calls.length > 0) await this.#untilNews(calls)
    return more || started > 0 || calls.length > 0
  }

  /**
   * Everything besides sending. While calls come and go this is not done for each of them: it would take as long as
   * what they have to wait for. Returns whether there is more to do.
   */
  async #keepHouse(): Promise<boolean> {
    const now = this.context.clock.now()
    if (this.#underWay.size > 0 && Math.abs(now - this.#keptAt) < KEEP_MS) return false
    const more = await followConsents(this.context.database.db)
    const expired = await expireLeases(this.context)
    const polled = (await this.#poll()) + (await urgeConfirmations(this.context))
    const clicked = await settleClicks(this.context)
    await this.#sweep(now)
    const isBusy = more || clicked || expired > 0 || polled > 0
    this.#keptAt = isBusy ? -Infinity : now
    return isBusy
  }

  /** Beside everything else: a provider that is slow to tell keeps nobody's messages waiting. Returns how many were asked. */
  async #poll(): Promise<number> {
    if ((this.#underWay.get(POLLS)?.size ?? 0) >= CALLS_AT_ONCE) return 0
    const groups = await takeDuePolls(this.context)
    const accounts = await takeDueAccounts(this.context)
    for (const rows of groups) this.#track(POLLS, pollMessages(this.context, rows))
    for (const account of accounts) this.#track(POLLS, pollAccount(this.context, account))
    return groups.length + accounts.length
  }

  /** Now and then, what nobody asks for any more is forgotten. */
  async #sweep(now: number): Promise<void> {
    if (now - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = now
    await sweepLinks(this.context)
  }

  /** Something may be due that was not: a slow channel must not keep another waiting. */
  wake(): void {
    this.#rouse()
  }

  async #untilNews(calls: Promise<void>[]): Promise<void> {
    const nap = new AbortController()
    const roused = new Promise<void>((resolve) => (this.#rouse = resolve))
    await Promise.race([...calls, roused, sleep(LOOK_MS, undefined, { signal: nap.signal }).catch(() => {})])
    nap.abort()
  }

  /** Writes what a provider pushed. */
  async receive(channel: string, receipts: readonly Receipt[]): Promise<void> {
    const { database, clock } = this.context
    await transact(database.db, (tx) => recordReceipts(tx, { channel, receipts, now: clock.now() }))
  }

  /** Resolves when no call is under way. Call it before the database is closed. */
  async finish(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all([...this.#underWay.values()].flatMap((set) => [...set]))
  }

  async #start(): Promise<number> {
    let started = 0
    for (const { channel, account, kind } of await this.#due()) {
      const name = `${channel} ${account}`
      if (kind === 'message' && gatesOf(this.context.points, channel).length > 0) {
        if (this.#askFirst(name, { channel, account })) started++
        continue
      }
      const free = CALLS_AT_ONCE - (this.#underWay.get(name)?.size ?? 0)
      for (let call = 0; call < free; call++) {
        if (kind === 'action') {
          this.#track(name, this.#act(channel))
          started++
          break
        }
        const asked = performance.now()
        const prepared = await prepareBatch(this.context, { channel, account })
        if (!prepared) break
        // Guards may have refused or put off everything; that was work as well.
        started++
        if (prepared.leased.length === 0) break
        this.#track(name, this.#call(prepared, asked))
      }
    }
    return started
  }

  /** Gates are asked beside everything else: a slow one keeps its own messages waiting and nobody else's. */
  #askFirst(name: string, wanted: { channel: string; account: string }): boolean {
    if (this.#asking.has(name) || performance.now() < (this.#restUntil.get(name) ?? 0)) return false
    this.#asking.add(name)
    const ask = async () => {
      const asked = performance.now()
      const prepared = await prepareBatch(this.context, wanted)
      if (!prepared) this.#restUntil.set(name, performance.now() + LOOK_MS)
      else if (prepared.leased.length > 0) this.#track(name, this.#call(prepared, asked))
    }
    this.#track(
      name,
      ask().finally(() => this.#asking.delete(name)),
    )
    return true
  }

  #track(name: string, work: Promise<void>): void {
    const set = this.#underWay.get(name) ?? new Set()
    this.#underWay.set(name, set)
    const tracked = work
      .catch((error: unknown) => {
        // The lease runs out, and the rows are looked up.
        this.context.log.error({ channel: name, error: String(error) }, 'A delivery could not be recorded')
      })
      .finally(() => {
        set.delete(tracked)
        if (set.size === 0) this.#underWay.delete(name)
      })
    set.add(tracked)
  }

  /** Channels, accounts and actions with something due: one look into the index for each that is registered. */
  async #due(): Promise<{ channel: string; account: string; kind: string }[]> {
    const { database, clock, points } = this.context
    const now = clock.now()
    const accounts = await database.db
      .selectFrom('channel_accounts')
      .select(['id', 'channel', 'active', 'open_until', 'failures'])
      .execute()
    const channels = points.channels.list().map(({ id }) => id)
    const ready = [
      ...channels.map((channel) => ({ channel, account: '', kind: 'message' })),
      ...accounts
        .filter(({ channel, active }) => active === 1 && channels.includes(channel))
        .map(({ id, channel }) => ({ channel, account: id, kind: 'message' })),
      ...points.actions.list().map(({ id }) => ({ channel: id, account: '', kind: 'action' })),
    ]
    if (ready.length === 0) return []
    const rows = await database.db
      .selectFrom(rowsOf(database.db, ready, { channel: 'text', account: 'text', kind: 'text' }))
      .select(['r.channel', 'r.account', 'r.kind'])
      .where(
        sql<boolean>`exists (select 1 from deliveries d where d.state = 'planned' and d.channel = r.channel and d.account = r.account and d.due_at <= ${now})`,
      )
      .execute()
    return rows
  }

  async #act(id: string): Promise<void> {
    await runActions(this.context, id)
  }

  async #call(prepared: Prepared, asked: number): Promise<void> {
    // A process that was paused since then may have lost the lease, and others may be at these messages.
    const isLate = performance.now() - asked > LEASE_MS - CALL_MS
    const outcome = isLate ? { failed: 'The server was paused before it sent' } : await this.#send(prepared)
    await recordOutcome(this.context, prepared, outcome)
  }

  async #send({ account, leased }: Prepared): Promise<CallOutcome> {
    const { points, clock, box } = this.context
    const channel = points.channels.find(account.channel)
    if (!channel) return { failed: `Channel "${account.channel}" is not there` }
    const signal = AbortSignal.timeout(CALL_MS)
    try {
      const settings = openSettings(box, account.settings)
      const deliveries = leased.map(({ delivery }) => delivery)
      const results = await channel.value.run.send({ settings, deliveries }, { now: clock.now(), signal })
      return Array.isArray(results)
        ? { results: results as DeliveryResult[] }
        : { lost: 'The channel answered no list of results' }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return signal.aborted || isLost(error) ? { lost: message } : { failed: message }
    }
  }
}
