import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { type BusinessDays, businessDaysIn } from '../days.ts'
import type { Db } from '../db/database.ts'

const DAY_MS = 86_400_000
/** Zones lie quarters of an hour apart: what is counted by the quarter can be put into days of any of them. */
const QUARTER_MS = 900_000
const COUNTS = [
  'sent',
  'delivered',
  'opened',
  'clicked',
  'replied',
  'unsubscribed',
  'complained',
  'bounced',
] as const
type Counts = Record<(typeof COUNTS)[number], number>

/** What became of the messages that were sent on one channel in one day or week. */
export interface ResponsePeriod extends Counts {
  /** First day, `YYYY-MM-DD` where the brand is. */
  day: string
  channel: string
}

/** How well those keep up who have to confirm messages before they go out. */
export interface StaffExecution {
  channel: string
  /** Messages that somebody was asked to confirm. */
  asked: number
  confirmed: number
  waiting: number
  /** Nobody confirmed them, after everybody was asked. */
  givenUp: number
  reassigned: number
  reminders: number
  /** Reminders of the last 24 hours; nobody gets more than three of them about one message. */
  reminders24h: number
}

export interface HistoryInput {
  by: 'day' | 'week'
  days: number
  journeyId?: string | undefined
}

/**
 * How customers answered to what was sent, by the day or week it was sent and by channel: a message counts where it
 * was sent, whenever the answer came. An opening is what says that somebody saw it: read, followed or replied to.
 */
export async function readResponseHistory(
  { database, clock, brand }: Pick<CoreContext, 'database' | 'clock' | 'brand'>,
  { by, days: length, journeyId }: HistoryInput,
): Promise<{ periods: ResponsePeriod[]; staff: StaffExecution[] }> {
  const days = businessDaysIn((await brand()).timeZone)
  const now = clock.now()
  const first = firstDayOf(days, { by, day: days.dayOf(now) - (length - 1) })
  const since = days.startOf(first)
  const rows = await readQuarters(database.analytics, { since, journeyId })
  const periods = new Map<string, ResponsePeriod>()
  for (const { channel, quarter, ...counts } of rows) {
    const day = days.textOf(firstDayOf(days, { by, day: days.dayOf(Number(quarter) * QUARTER_MS) }))
    const key = `${day} ${channel}`
    const known = periods.get(key) ?? {
      day,
      channel,
      ...(Object.fromEntries(COUNTS.map((name) => [name, 0])) as Counts),
    }
    periods.set(key, known)
    for (const name of COUNTS) known[name] += Number(counts[name])
  }
  return {
    periods: [...periods.values()].toSorted(
      (a, b) => a.day.localeCompare(b.day) || a.channel.localeCompare(b.channel),
    ),
    staff: await readStaff(database.analytics, { since, journeyId, dayAgo: now - DAY_MS }),
  }
}

function firstDayOf(days: BusinessDays, { by, day }: { by: 'day' | 'week'; day: number }): number {
  return by === 'day' ? day : day - (days.dateOf(day).dayOfWeek - 1)
}

interface Since {
  since: number
  journeyId: string | undefined
}

async function readQuarters(db: Db, { since, journeyId }: Since) {
  const has = (...kinds: string[]) =>
    sql<number>`max(case when kind in (${sql.join(kinds)}) then 1 else 0 end)`
  const told = db
    .selectFrom('delivery_events')
    .select('delivery_id')
    .select([
      has('delivered', 'read', 'clicked', 'replied').as('delivered'),
      has('read', 'clicked', 'replied').as('opened'),
      has('clicked').as('clicked'),
      has('replied').as('replied'),
      has('unsubscribed').as('unsubscribed'),
      has('complained').as('complained'),
      has('bounced').as('bounced'),
    ])
    // What is told about a message comes after it was sent, but for the clocks of providers.
    .where('at', '>=', since - DAY_MS)
    .groupBy('delivery_id')
  const quarter = sql<number>`deliveries.sent_at / ${sql.lit(QUARTER_MS)}`
  const sum = (name: string) => sql<number>`sum(coalesce(${sql.ref(`told.${name}`)}, 0))`.as(name)
  return await db
    .selectFrom('deliveries')
    .leftJoin(told.as('told'), 'told.delivery_id', 'deliveries.id')
    .where('deliveries.kind', '=', 'message')
    .where('deliveries.purpose', '<>', 'test')
    .where('deliveries.sent_at', '>=', since)
    // What waits for somebody's confirmation has reached nobody.
    .where('deliveries.state', '<>', 'pending')
    .$if(journeyId !== undefined, (query) => query.where('deliveries.journey_id', '=', journeyId!))
    .select(['deliveries.channel', quarter.as('quarter'), ({ fn }) => fn.countAll<number>().as('sent')])
    .select([sum('delivered'), sum('opened'), sum('clicked'), sum('replied')])
    .select([sum('unsubscribed'), sum('complained'), sum('bounced')])
    .groupBy(['deliveries.channel', quarter])
    .$castTo<Counts & { channel: string; quarter: number }>()
    .execute()
}

async function readStaff(
  db: Db,
  { since, journeyId, dayAgo }: Since & { dayAgo: number },
): Promise<StaffExecution[]> {
  const count = (kind: string, from?: number) =>
    sql<number>`sum(case when kind = ${kind}${from === undefined ? sql`` : sql` and at >= ${from}`} then 1 else 0 end)`
  const asked = db
    .selectFrom('delivery_events')
    .select('delivery_id')
    .select([
      count('pending').as('asked'),
      count('reassigned').as('reassigned'),
      count('reminded').as('reminders'),
      count('reminded', dayAgo).as('reminders24h'),
    ])
    .where('at', '>=', since)
    .where('kind', 'in', ['pending', 'reassigned', 'reminded'])
    .groupBy('delivery_id')
  const state = (...states: string[]) =>
    sql<number>`sum(case when deliveries.state in (${sql.join(states)}) then 1 else 0 end)`
  const rows = await db
    .selectFrom(asked.as('asked'))
    .innerJoin('deliveries', 'deliveries.id', 'asked.delivery_id')
    .where('asked.asked', '>', 0)
    .$if(journeyId !== undefined, (query) => query.where('deliveries.journey_id', '=', journeyId!))
    .select(['deliveries.channel', ({ fn }) => fn.countAll<number>().as('asked')])
    .select([
      state('sent', 'delivered', 'read', 'clicked', 'replied', 'complained', 'bounced').as('confirmed'),
      state('pending').as('waiting'),
      sql<number>`sum(case when deliveries.state = 'refused' and deliveries.reason = 'unconfirmed' then 1 else 0 end)`.as(
        'givenUp',
      ),
      ({ fn }) => fn.sum<number>('asked.reassigned').as('reassigned'),
      ({ fn }) => fn.sum<number>('asked.reminders').as('reminders'),
      ({ fn }) => fn.sum<number>('asked.reminders24h').as('reminders24h'),
    ])
    .groupBy('deliveries.channel')
    .orderBy('deliveries.channel')
    .execute()
  return rows.map(({ channel, ...counts }) => ({
    channel,
    asked: Number(counts.asked),
    confirmed: Number(counts.confirmed),
    waiting: Number(counts.waiting),
    givenUp: Number(counts.givenUp),
    reassigned: Number(counts.reassigned),
    reminders: Number(counts.reminders),
    reminders24h: Number(counts.reminders24h),
  }))
}
