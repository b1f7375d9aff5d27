import type { CoreContext } from '../context.ts'
import { businessDaysIn } from '../days.ts'
import type { Route } from '../journeys/outbox.ts'
import type { StoredChoice } from './apply-choice.ts'
import { countChoices, type CustomerChoice, orderRoutes, readChoices } from './channel-choice.ts'
import { firstSince } from './delivery-log.ts'
import { EVERYONE, type Periods, periodsAt } from './ledger.ts'
import type { ContactPolicy } from './policy.ts'
import { afterQuietHours, zoneOf } from './quiet-hours.ts'

const DAYS = 30
const DAY = 86_400_000
/** Of more messages than these the newest are looked at. */
const MOST = 20_000
/** Refusals that a policy decides on; the others would stay whatever it says. */
const BY_POLICY = ['cap_day', 'cap_week', 'cap_channel_day', 'budget', 'fatigue']

export interface PolicyEffect {
  /** Would have gone out at once, or when the quiet hours ended. */
  sent: number
  /** Of those that were sent, the ones that had to wait for the end of quiet hours. */
  later: number
  refused: number
  /** Of those with several channels, the ones that would have gone over another than planned first. */
  chosen: number
  reasons: { reason: string; count: number }[]
}

export interface PolicyPreview {
  days: number
  /** Marketing messages that were looked at. */
  messages: number
  isPart: boolean
  /** What the policy in force makes of them, by the same reckoning. */
  current: PolicyEffect
  draft: PolicyEffect
  /** Customers for whom each rule of the draft is the first that fits; null where it names what is gone. */
  ruleCustomers: (number | null)[]
}

interface PastMessage {
  customer: number
  channel: string
  /** As they were planned, if there were several. */
  routes: { channel: string }[]
  at: number
  wasOpened: boolean
}

type Context = Pick<CoreContext, 'database' | 'clock' | 'points' | 'brand'>

/**
 * What two policies make of the marketing messages of the last 30 days. Both are reckoned anew and in the same way,
 * so that they can be compared: an estimate, since nobody knows what would have been opened.
 */
export async function previewPolicy(
  context: Context,
  { current, draft }: { current: ContactPolicy; draft: ContactPolicy },
): Promise<PolicyPreview> {
  const { database, clock, points } = context
  const brand = await context.brand()
  const messages = await readPast(context)
  const customers = [
    ...new Set(messages.flatMap(({ customer, routes }) => (routes.length > 1 ? [customer] : []))),
  ]
  const world = { brand, now: clock.now() }
  const choicesOf = async ({ choice }: ContactPolicy) =>
    choice ? await readChoices(database.analytics, choice, { ...world, customers }) : new Map()
  const limits = new Map(
    points.channels.list().map(({ id, value }) => [id, value.limits?.perCustomerPerDay ?? Infinity] as const),
  )
  const known = { timeZone: brand.timeZone, limits, telling: tellingChannels(context) }
  return {
    days: DAYS,
    messages: messages.length,
    isPart: messages.length === MOST,
    current: replay(messages, current, { ...known, choices: await choicesOf(current) }),
    draft: replay(messages, draft, { ...known, choices: await choicesOf(draft) }),
    ruleCustomers: draft.choice ? await countChoices(database.analytics, draft.choice, world) : [],
  }
}

async function readPast({ database, clock }: Context): Promise<PastMessage[]> {
  const rows = await database.analytics
    .selectFrom('deliveries')
    .leftJoin('identifiers', 'identifiers.id', 'deliveries.customer_id')
    .where('deliveries.id', '>=', await firstSince(database.analytics, clock.now() - DAYS * DAY))
    .where('deliveries.kind', '=', 'message')
    .where('purpose', '=', 'marketing')
    .where((where) => where.or([where('sent_at', 'is not', null), where('reason', 'in', BY_POLICY)]))
    .select(['deliveries.customer_id', 'identifiers.customer_id as current', 'channel', 'state'])
    .select(['sent_at', 'deliveries.updated_at', 'alternatives', 'choice'])
    .orderBy('deliveries.id', 'desc')
    .limit(MOST)
    .execute()
  return rows
    .map((row) => ({
      customer: row.current ?? row.customer_id,
      channel: row.channel,
      at: row.sent_at ?? row.updated_at,
      wasOpened: ['read', 'clicked', 'replied'].includes(row.state),
      routes: plannedRoutes(row),
    }))
    .toSorted((a, b) => a.at - b.at)
}

function plannedRoutes(row: { channel: string; alternatives: string; choice: string | null }) {
  if (row.choice !== null)
    return (JSON.parse(row.choice) as StoredChoice).planned.map((channel) => ({ channel }))
  return [{ channel: row.channel }, ...(JSON.parse(row.alternatives) as Route[])]
}

/** Channels that say when a message was opened. */
function tellingChannels({ points }: Context): Set<string> {
  return new Set(
    points.channels
      .list()
      .filter(({ value }) => value.receipts?.some((kind) => kind === 'read' || kind === 'clicked'))
      .map(({ id }) => id),
  )
}

/** Counts what went out, by customer or everybody, channel and first day of a period. */
class Counts {
  readonly #counts = new Map<string, number>()

  add(customer: number, channel: string, periods: Periods): void {
    for (const who of [customer, EVERYONE])
      for (const on of [channel, '*'])
        for (const per of ['day', 'week', 'month'] as const) {
          const key = `${who} ${per} ${periods[per]} ${on}`
          this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
        }
  }

  of(customer: number, channel: string, per: keyof Periods, periods: Periods): number {
    return this.#counts.get(`${customer} ${per} ${periods[per]} ${channel}`) ?? 0
  }
}

interface Silence {
  unopened: number
  lastAt: number
}

interface Known {
  timeZone: string
  limits: ReadonlyMap<string, number>
  telling: ReadonlySet<string>
  choices: ReadonlyMap<number, CustomerChoice>
}

/** The message on the channel that the policy would have put first, or where it went. */
function onChosen(message: PastMessage, choices: Known['choices']): PastMessage & { isChosen: boolean } {
  const { routes, customer } = message
  const choice = routes.length > 1 ? choices.get(customer) : undefined
  const first = choice && orderRoutes(routes, choice)?.routes[0]
  if (!first) return { ...message, isChosen: false }
  return { ...message, channel: first.channel, isChosen: first.channel !== routes[0]?.channel }
}

function replay(
  messages: readonly PastMessage[],
  policy: ContactPolicy,
  { timeZone, limits, telling, choices }: Known,
): PolicyEffect {
  const zone = zoneOf(undefined, timeZone)
  const days = businessDaysIn(timeZone)
  const counts = new Counts()
  const silences = new Map<string, Silence>()
  const reasons = new Map<string, number>()
  const effect = { sent: 0, later: 0, refused: 0, chosen: 0 }
  for (const past of messages) {
    const message = onChosen(past, choices)
    if (message.isChosen) effect.chosen++
    const at = policy.quietHours ? afterQuietHours(policy.quietHours, zone, message.at) : message.at
    const periods = periodsAt(days, at)
    const key = `${message.customer} ${message.channel}`
    const silence = silences.get(key) ?? { unopened: 0, lastAt: 0 }
    const reason =
      capOf(message, policy, { counts, periods, limit: limits.get(message.channel) ?? Infinity }) ??
      (telling.has(message.channel) && isTired(silence, policy, at) ? 'fatigue' : undefined)
    if (reason !== undefined) {
      effect.refused++
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      continue
    }
    effect.sent++
    if (at > message.at) effect.later++
    counts.add(message.customer, message.channel, periods)
    silences.set(key, { unopened: message.wasOpened ? 0 : silence.unopened + 1, lastAt: at })
  }
  return {
    ...effect,
    reasons: [...reasons].map(([reason, count]) => ({ reason, count })).toSorted((a, b) => b.count - a.count),
  }
}

function capOf(
  { customer, channel }: PastMessage,
  { caps, budgets }: ContactPolicy,
  { counts, periods, limit }: { counts: Counts; periods: Periods; limit: number },
): string | undefined {
  const own = Math.min(caps.perChannelPerDay[channel] ?? caps.perChannelPerDay['*'] ?? Infinity, limit)
  if (counts.of(customer, channel, 'day', periods) >= own) return 'cap_channel_day'
  if (counts.of(customer, '*', 'day', periods) >= (caps.perDay ?? Infinity)) return 'cap_day'
  if (counts.of(customer, '*', 'week', periods) >= (caps.perWeek ?? Infinity)) return 'cap_week'
  const isSpent = budgets.some((budget) => {
    if (!budget.channels.includes(channel)) return false
    const who = budget.scope === 'total' ? EVERYONE : customer
    const used = budget.channels.reduce((sum, on) => sum + counts.of(who, on, budget.per, periods), 0)
    return used >= budget.limit
  })
  return isSpent ? 'budget' : undefined
}

function isTired({ unopened, lastAt }: Silence, { fatigue }: ContactPolicy, at: number): boolean {
  return fatigue !== null && unopened >= fatigue.unopened && at < lastAt + fatigue.pauseDays * DAY
}
