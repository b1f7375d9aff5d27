import { type RawBuilder, sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { BusinessDays } from '../days.ts'
import type { Engine } from '../db/database.ts'
import { compareProperty } from '../segments/event-properties.ts'
import type { PropertyFilter } from '../segments/rule.ts'
import type { Moments } from './compare.ts'
import type { Metric } from './definition.ts'
import { exposedCustomers } from './exposures.ts'
import type { Experiment } from './queries.ts'

const DAY = 86_400_000

type Context = Pick<CoreContext, 'database' | 'clock' | 'brand'>

export interface Reach {
  /** Customers by arm, everybody who met it. */
  arms: Map<string, number>
  /** Customers who met several arms because two records turned out to be one person; left out everywhere. */
  mixed: number
}

/** How many customers met each arm. */
export async function readReach(
  { database }: Pick<CoreContext, 'database'>,
  experiment: Experiment,
): Promise<Reach> {
  const { rows } = await sql<{ arm: string; mixed: number; customers: number }>`
    select arm, mixed, count(*) as customers
    from (${exposedCustomers(experiment)}) p group by 1, 2`.execute(database.analytics)
  const single = rows.filter(({ mixed }) => mixed === 0)
  return {
    arms: new Map(single.map(({ arm, customers }) => [arm, Number(customers)])),
    mixed: rows.reduce((sum, { mixed, customers }) => sum + (mixed === 1 ? Number(customers) : 0), 0),
  }
}

/**
 * What each arm came to by a metric, from the events of every customer whose window is over: who came yesterday had
 * no month to buy in, and would only dilute. `x` is the denominator of a ratio, or the same figure before.
 */
export async function readMoments(
  { database, clock, brand }: Context,
  experiment: Experiment,
  metric: Metric,
): Promise<Map<string, Moments>> {
  const { window, now, filters, events, names, y, x, since } = await questionOf(
    { database, clock, brand },
    metric,
  )
  // Those without events come by `union all`: for a join PostgreSQL, which takes the exposed for few, counts in squares.
  const { rows } = await sql<Record<keyof Moments, number> & { arm: string }>`
    with exposed as materialized (
      select customer_id, arm, at from (${exposedCustomers(experiment)}) p
      where mixed = 0 and at <= ${now - window}
    ), found as (
      select p.customer_id, p.arm, ${y} as y, ${x} as x
      from exposed p inner join timeline t on t.customer_id = p.customer_id ${events}
      where ${nameOf(database.engine)} in (${sql.join(names)}) and t.current = 1
        and t.ts >= ${since} and t.ts < p.at + ${sql.lit(window)}${sql.join(filters, sql``)}
      group by p.customer_id, p.arm
    ), figures as (
      select min(arm) as arm, cast(sum(y) as double precision) as y, cast(sum(x) as double precision) as x
      from (select * from found union all select customer_id, arm, 0, 0 from exposed) figure group by customer_id
    )
    select arm, count(*) as n, sum(y) as y, sum(y * y) as yy, sum(x) as x, sum(x * x) as xx, sum(x * y) as xy
    from figures group by arm`.execute(database.analytics)
  return new Map(
    rows.map(({ arm, n, y: sum, yy, x: beside, xx, xy }) => [
      arm,
      { n: Number(n), y: sum, yy, x: beside, xx, xy },
    ]),
  )
}

/** What a metric asks of the events of a customer, in pieces of SQL: `p` is the customer, `t` the timeline. */
async function questionOf({ database, clock, brand }: Context, metric: Metric) {
  const window = metric.withinDays * DAY
  const now = clock.now()
  const days = new BusinessDays((await brand()).timeZone)
  const filters = (metric.where ?? []).map(
    (filter) =>
      sql` and ${compareProperty(filter as PropertyFilter, {
        engine: database.engine,
        vault: database.vault,
        days,
        today: days.dayOf(now),
      })}`,
  )
  const events = filters.length > 0 ? sql`inner join events e on e.seq = t.seq` : sql``
  return { window, now, filters, events, ...figuresOf(metric, window) }
}

export interface MeasuredCustomer {
  customerId: number
  /** When the customer met the arm. */
  at: number
  /** The customer's own figure, or the numerator of a ratio; none without a metric. */
  value: number | null
}

/**
 * The customers behind a number, by id: everybody in an arm, or with a metric those whose window is over and whose
 * figure is not 0.
 */
export async function listMeasured(
  context: Context,
  experiment: Experiment,
  { arm, metric, after, limit }: { arm: string; metric?: Metric | undefined; after: number; limit: number },
): Promise<MeasuredCustomer[]> {
  const { database } = context
  const inArm = sql`select customer_id, at from (${exposedCustomers(experiment)}) exposed
    where mixed = 0 and arm = ${arm} and customer_id > ${after}`
  if (!metric) {
    const { rows } = await sql<{ customer_id: number; at: number }>`
      select customer_id, at from (${inArm}) p order by customer_id limit ${limit}`.execute(
      database.analytics,
    )
    return rows.map(({ customer_id, at }) => ({ customerId: customer_id, at, value: null }))
  }
  const { window, now, filters, events, names, y, since } = await questionOf(context, metric)
  const { rows } = await sql<{ customer_id: number; at: number; value: number }>`
    select p.customer_id, p.at, cast(${y} as double precision) as value
    from (${inArm} and at <= ${now - window}) p inner join timeline t on t.customer_id = p.customer_id ${events}
    where ${nameOf(database.engine)} in (${sql.join(names)}) and t.current = 1
      and t.ts >= ${since} and t.ts < p.at + ${sql.lit(window)}${sql.join(filters, sql``)}
    group by p.customer_id, p.at having ${y} <> 0 order by p.customer_id limit ${limit}`.execute(
    database.analytics,
  )
  return rows.map(({ customer_id, at, value }) => ({ customerId: customer_id, at, value }))
}

/** The two figures of a customer, `p` with the events `t` of the window. */
function figuresOf(metric: Metric, window: number) {
  const after = sql`t.ts >= p.at`
  const before = sql`t.ts < p.at`
  if (metric.kind === 'ratio') {
    const side = ({ event, of }: { event: string; of: 'count' | 'value' }) =>
      sql`sum(case when t.name = ${event} then ${of === 'count' ? sql`1` : sql`coalesce(t.value, 0)`} else 0 end)`
    const { numerator, denominator } = metric
    return {
      names: [...new Set([numerator.event, denominator.event])],
      y: side(numerator),
      x: side(denominator),
      since: sql`p.at`,
    }
  }
  const during = (when: RawBuilder<unknown>) => {
    if (metric.kind === 'conversion') return sql`max(case when ${when} then 1 else 0 end)`
    if (metric.kind === 'count') return sql`sum(case when ${when} then 1 else 0 end)`
    const amount =
      metric.minus === undefined
        ? sql`coalesce(t.value, 0)`
        : sql`case when t.name = ${metric.minus} then -coalesce(t.value, 0) else coalesce(t.value, 0) end`
    return sql`sum(case when ${when} then ${amount} else 0 end)`
  }
  return {
    names:
      metric.kind === 'value' && metric.minus !== undefined ? [metric.event, metric.minus] : [metric.event],
    y: during(after),
    x: metric.cuped ? during(before) : sql`0`,
    since: metric.cuped ? sql`p.at - ${sql.lit(window)}` : sql`p.at`,
  }
}

/** SQLite would rather go through all events of that name: the plus keeps it from using that index. */
function nameOf(engine: Engine): RawBuilder<unknown> {
  return engine === 'sqlite' ? sql`+t.name` : sql`t.name`
}
