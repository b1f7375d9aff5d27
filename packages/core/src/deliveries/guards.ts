import type { ChannelContribution } from '@huitou/plugin-api'
import type { BusinessDays } from '../days.ts'
import type { Db, Tx } from '../db/database.ts'
import { isOneOf } from '../db/rows.ts'
import { EVERYONE, type Periods, periodsAt, readTouches, type Touch } from './ledger.ts'
import type { DeliveryPurpose } from '../journeys/outbox.ts'
import { findAddressOf, type Person } from '../journeys/people.ts'
import { byLatest, readRenewals, type Renewal, renewalOf } from './consent-renewals.ts'
import type { ConsentTables } from './consent-tables.ts'
import { type Opening, readOpenings } from './openings.ts'
import type { ContactPolicy } from './policy.ts'
import { afterQuietHours, zoneOf } from './quiet-hours.ts'

/** Why a message does not go out. Stored, shown and translated by these words. */
export type RefusalReason =
  | 'gone'
  | 'no_address'
  | 'undeliverable'
  | 'no_consent'
  | 'consent_withdrawn'
  | 'consent_outdated'
  | 'do_not_profile'
  | 'expired'
  | 'cap_day'
  | 'cap_week'
  | 'cap_channel_day'
  | 'budget'
  | 'fatigue'
  | 'window_closed'
  | 'no_credit'
  | 'unconfirmed'
  | 'gate'
  | 'content'
  | 'provider'

export type Verdict =
  | { allow: true; address: string }
  | { allow: false; reason: RefusalReason; details?: Record<string, unknown> }
  | { later: number; reason: 'quiet_hours' | 'gate' | 'provider_limit'; details?: Record<string, unknown> }

/** What of a delivery the guards look at. */
export interface Guarded {
  id: number
  purpose: DeliveryPurpose
  expires_at: number | null
}

type Consent = Omit<ConsentTables['consents'], 'customer_id' | 'source'>

interface Answers {
  unopened: number
  last_sent_at: number | null
  undeliverable_upto: number | null
}

export interface GuardWorld {
  policy: ContactPolicy
  declaration: ChannelContribution
  /** Full id. */
  channel: string
  account: string
  now: number
  timeZone: string
  days: BusinessDays
}

/** Checks messages to one channel, one after the other; what it lets through counts for those behind. */
export class Guards {
  readonly #world: GuardWorld
  readonly #periods: Periods
  readonly #consents: Map<number, Consent[]>
  readonly #renewals: readonly Renewal[]
  readonly #touches: Map<number, Touch[]>
  readonly #answers: Map<number, Answers>
  readonly #openings: Map<number, Opening> | undefined

  private constructor(
    world: GuardWorld,
    facts: {
      consents: Map<number, Consent[]>
      renewals: readonly Renewal[]
      touches: Map<number, Touch[]>
      answers: Map<number, Answers>
      openings: Map<number, Opening> | undefined
    },
  ) {
    this.#world = world
    this.#periods = periodsAt(world.days, world.now)
    this.#consents = facts.consents
    this.#renewals = facts.renewals
    this.#touches = facts.touches
    this.#answers = facts.answers
    this.#openings = facts.openings
  }

  /** Reads in a few queries all that the guards need to know of these customers. */
  static async read(db: Db | Tx, world: GuardWorld, people: Iterable<Person>): Promise<Guards> {
    const { week, month } = periodsAt(world.days, world.now)
    // What was written under an id that has since become part of somebody is that one's now.
    const owners = new Map<number, number>()
    for (const { id, identifiers } of people) {
      owners.set(id, id)
      for (const identifier of identifiers) owners.set(identifier.id, id)
    }
    return new Guards(world, {
      consents: await readConsents(db, owners),
      renewals: (await readRenewals(db)).filter(({ from }) => from <= world.now),
      touches: await readTouches(db, owners, Math.min(week, month)),
      answers: await readAnswers(db, owners, world.channel),
      openings: await readOpenings(db, world, [...new Set(owners.values())]),
    })
  }

  /** The fixed order: consent, do-not-profile, quiet hours, caps, fatigue. Gates and the provider's limit come after. */
  check(delivery: Guarded, person: Person | undefined): Verdict {
    const { declaration, now } = this.#world
    if (!person) return { allow: false, reason: 'gone' }
    if (delivery.expires_at !== null && delivery.expires_at <= now) return { allow: false, reason: 'expired' }
    const known = findAddressOf(person, declaration.address)
    const address = known?.value ?? (declaration.sandbox ? String(person.id) : undefined)
    // Goes where nobody is reached: whoever tries a journey wants to see every message of it.
    if (delivery.purpose === 'test') return { allow: true, address: address ?? String(person.id) }
    if (address === undefined) return { allow: false, reason: 'no_address' }
    // An address that came later is another one, and worth a try.
    if (known && known.id <= (this.#answers.get(person.id)?.undeliverable_upto ?? -1))
      return { allow: false, reason: 'undeliverable' }
    const refusal = this.#consent(delivery, person)
    if (refusal) return refusal
    if (delivery.purpose === 'marketing') {
      return (
        this.#quiet(person, delivery) ??
        this.#caps(person) ??
        this.#fatigue(person) ?? { allow: true, address }
      )
    }
    return this.#platform(person) ?? { allow: true, address }
  }

  /** Counts a message as sent, for the checks after it; a test takes nobody's slot. */
  count(person: Person, { purpose }: Pick<Guarded, 'purpose'>): Touch {
    const { channel, account } = this.#world
    const count = purpose === 'test' ? 0 : 1
    const touch = { customer_id: person.id, channel, account, day: this.#periods.day, count }
    const opening = this.#openings?.get(person.id)
    if (opening?.credits !== undefined) opening.credits -= count
    for (const id of [person.id, EVERYONE]) {
      const known = this.#touches.get(id)
      if (known) known.push({ ...touch, customer_id: id })
      else this.#touches.set(id, [{ ...touch, customer_id: id }])
    }
    return touch
  }

  /** Messages on this account since the business day began. */
  sentToday(customer: number): number {
    const { channel, account } = this.#world
    let sum = 0
    for (const touch of this.#touches.get(customer) ?? [])
      if (touch.day === this.#periods.day && touch.channel === channel && touch.account === account)
        sum += touch.count
    return sum
  }

  #consent({ purpose }: Guarded, { id }: Person): Verdict | undefined {
    const { channel, policy } = this.#world
    const consents = (this.#consents.get(id) ?? []).toSorted(byLatest)
    const said = (wanted: string) =>
      consents.filter((consent) => consent.purpose === wanted && [channel, '*'].includes(consent.channel))
    const refuse = (reason: RefusalReason): Verdict => ({ allow: false, reason })
    if (purpose === 'service')
      return said('service')[0]?.state === 'withdrawn' ? refuse('consent_withdrawn') : undefined
    const marketing = said('marketing')
    const counting = marketing.filter((consent) => renewalOf(consent, this.#renewals) === undefined)
    // A consent that ran out allows nothing any more, and takes no earlier refusal back.
    const isOutdated = counting[0] !== marketing[0]
    const state = counting[0]?.state
    if (state === 'withdrawn') return refuse(isOutdated ? 'consent_outdated' : 'consent_withdrawn')
    if (state === undefined && policy.consentNeeded.includes(channel))
      return refuse(isOutdated ? 'consent_outdated' : 'no_consent')
    return said('profiling')[0]?.state === 'withdrawn' ? refuse('do_not_profile') : undefined
  }

  #quiet({ profile }: Person, { expires_at }: Guarded): Verdict | undefined {
    const { policy, now, timeZone } = this.#world
    if (!policy.quietHours) return undefined
    const zone = zoneOf(profile?.['t_timezone'] ?? profile?.['t_time_zone'], timeZone)
    const later = afterQuietHours(policy.quietHours, zone, now)
    if (later === now) return undefined
    if (expires_at !== null && later >= expires_at)
      return { allow: false, reason: 'expired', details: { because: 'quiet_hours' } }
    return { later, reason: 'quiet_hours' }
  }

  #caps(person: Person): Verdict | undefined {
    const { policy, channel, declaration } = this.#world
    const { day, week } = this.#periods
    const touches = this.#touches.get(person.id) ?? []
    const count = (since: number, on?: readonly string[]) => countSince(touches, since, on)
    const { caps } = policy
    const own = caps.perChannelPerDay[channel] ?? caps.perChannelPerDay['*']
    const perChannel = Math.min(own ?? Infinity, declaration.limits?.perCustomerPerDay ?? Infinity)
    const checks: [RefusalReason, number, number][] = [
      ['cap_channel_day', count(day, [channel]), perChannel],
      ['cap_day', count(day), caps.perDay ?? Infinity],
      ['cap_week', count(week), caps.perWeek ?? Infinity],
    ]
    for (const [reason, used, limit] of checks)
      if (used >= limit) return { allow: false, reason, details: { used, limit } }
    return this.#platform(person)
  }

  /** What the platform itself allows, whatever a message is for. */
  #platform(person: Person): Verdict | undefined {
    const { guarantee } = this.#world.declaration
    const opening = this.#openings?.get(person.id)
    if (guarantee === 'windowed' && (opening?.until ?? 0) <= this.#world.now)
      return { allow: false, reason: 'window_closed' }
    if (guarantee === 'credit' && (opening?.credits ?? 0) < 1) return { allow: false, reason: 'no_credit' }
    return this.#budgets(person)
  }

  /** Quotas that a platform sets: they hold for messages of any purpose. */
  #budgets(person: Person): Verdict | undefined {
    const { policy, channel } = this.#world
    for (const { name, channels, per, limit, scope } of policy.budgets) {
      if (!channels.includes(channel)) continue
      const touches = this.#touches.get(scope === 'total' ? EVERYONE : person.id) ?? []
      const used = countSince(touches, this.#periods[per], channels)
      if (used >= limit) return { allow: false, reason: 'budget', details: { budget: name, used, limit } }
    }
    return undefined
  }

  #fatigue({ id }: Person): Verdict | undefined {
    const { policy, declaration, now } = this.#world
    const tells = declaration.receipts?.some((kind) => kind === 'read' || kind === 'clicked')
    if (!policy.fatigue || !tells) return undefined
    const { unopened = 0, last_sent_at = null } = this.#answers.get(id) ?? {}
    if (unopened < policy.fatigue.unopened) return undefined
    const until = (last_sent_at ?? 0) + policy.fatigue.pauseDays * 86_400_000
    return now < until ? { allow: false, reason: 'fatigue', details: { unopened, until } } : undefined
  }
}

function countSince(touches: readonly Touch[], since: number, channels?: readonly string[]): number {
  let sum = 0
  for (const { day, channel, count } of touches)
    if (day >= since && (!channels || channels.includes(channel))) sum += count
  return sum
}

async function readConsents(
  db: Db | Tx,
  owners: ReadonlyMap<number, number>,
): Promise<Map<number, Consent[]>> {
  const rows = await db
    .selectFrom('consents')
    .select(['customer_id', 'channel', 'purpose', 'state', 'at', 'text_id', 'text_version'])
    .where(isOneOf(db, 'customer_id', owners.keys()))
    .execute()
  return Map.groupBy(rows, ({ customer_id }) => owners.get(customer_id)!)
}

async function readAnswers(
  db: Db | Tx,
  owners: ReadonlyMap<number, number>,
  channel: string,
): Promise<Map<number, Answers>> {
  const rows = await db
    .selectFrom('contact_channels')
    .select(['customer_id', 'unopened', 'last_sent_at', 'undeliverable_upto'])
    .where(isOneOf(db, 'customer_id', owners.keys()))
    .where('channel', '=', channel)
    .execute()
  const answers = new Map<number, Answers>()
  for (const { customer_id, ...row } of rows) {
    const id = owners.get(customer_id)!
    const known = answers.get(id)
    // Of several histories that became one the latest counts; no address of either comes back to life.
    const latest = !known || (row.last_sent_at ?? 0) > (known.last_sent_at ?? 0) ? row : known
    const upto = Math.max(row.undeliverable_upto ?? -1, known?.undeliverable_upto ?? -1)
    answers.set(id, { ...latest, undeliverable_upto: upto < 0 ? null : upto })
  }
  return answers
}
