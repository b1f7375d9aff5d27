import { type RawBuilder, sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import type { Engine } from '../db/database.ts'
import type { EventMatch, JourneyDefinition } from '../journeys/definition.ts'
import { listVersions } from '../journeys/enrolments.ts'
import { HOLDOUT } from './assignment.ts'
import type { Interval, Moments } from './compare.ts'
import { checkSampleRatio, type SampleRatio } from './many.ts'
import { type ArmComparison, compareArms, correct } from './results.ts'

const DAY = 86_400_000
const ALPHA = 0.05
/** Intervals for those who peek are narrowest at this many customers. */
const PLANNED = 10_000
/** Counted when the journey has no goal of its own that says so. */
const WINDOW_DAYS = 14
/** Events whose value is money that came in, and money that went back. */
const REVENUE = { event: 'order.paid', minus: 'order.refunded' }

export interface ResultArm {
  arm: string
  customers: number
  /** Share of customers it should have. */
  share: number
  /** Customers who reached the goal; 0 for a journey without one. */
  reached: number
  rate: number
  interval: Interval | null
  /** Minor units, returns taken off. */
  revenue: number
  revenuePerCustomer: number
}

/** One arm against another; `null` where there are not two customers on each side. */
export interface ResultComparison {
  arm: string
  against: string
  rate: ArmComparison | null
  revenue: ArmComparison | null
}

export interface SplitResults {
  node: string
  arms: ResultArm[]
  /** Each arm against the first one. */
  comparisons: ResultComparison[]
  sampleRatio: SampleRatio
  mixed: number
}

export interface JourneyResults {
  asOf: number
  goal: (Pick<EventMatch, 'event'> & { withinDays: number }) | null
  /** Days after a customer's entry in which revenue counts. */
  revenueDays: number
  arms: ResultArm[]
  /** Those treated against those held out; `null` without a hold-out. */
  difference: ResultComparison | null
  sampleRatio: SampleRatio
  /** Customers left out because they met several arms before two records became one. */
  mixed: number
  splits: SplitResults[]
}

type Context = Pick<CoreContext, 'database' | 'clock'>

/**
 * What a journey came to, against those it held out, and each of its splits. Everybody who came in counts from the
 * first day, on both sides alike: that dilutes a difference, and never makes one up.
 */
export async function readJourneyResults({ database, clock }: Context, id: string): Promise<JourneyResults> {
  const versions = await listVersions(database.analytics, id)
  const definition = versions[0]?.definition
  const goal = definition?.goal ?? null
  const days = goal?.withinDays ?? WINDOW_DAYS
  const question: Question = { engine: database.engine, window: days * DAY }
  const measure = (people: RawBuilder<unknown>) => readMeasures(database.analytics, people, question)
  const found = await measure(enrolledIn(id))
  const shares = sharesOf(found, versions)
  const whole = toResults([...shares], found, { control: HOLDOUT, days })
  const splits: SplitResults[] = []
  for (const [node, arms] of definition ? splitsIn(definition) : []) {
    const same = versions
      .filter((version) => {
        const other = splitsIn(version.definition).get(node)
        return other && JSON.stringify([...other]) === JSON.stringify([...arms])
      })
      .map(({ version }) => version)
    const measured = await measure(throughSplit({ id, node, versions: same }))
    splits.push({ node, ...toResults([...arms], measured, { control: [...arms.keys()][0] as string, days }) })
  }
  return {
    asOf: clock.now(),
    goal: goal && { event: goal.event, withinDays: goal.withinDays },
    revenueDays: days,
    arms: whole.arms,
    difference: whole.comparisons[0] ?? null,
    sampleRatio: whole.sampleRatio,
    mixed: whole.mixed,
    splits,
  }
}

/** Arms of every split and the share each should have. */
function splitsIn({ nodes }: JourneyDefinition): Map<string, Map<string, number>> {
  return new Map(
    Object.entries(nodes).flatMap(([id, node]) => {
      if (node.type !== 'split') return []
      const total = node.arms.reduce((sum, { weight }) => sum + weight, 0)
      return [[id, new Map(node.arms.map(({ name, weight }) => [name, weight / total]))] as const]
    }),
  )
}

/** Shares of the arms over all versions: the hold-out may have been another one before. */
function sharesOf(
  found: readonly Measure[],
  versions: readonly { version: number; definition: JourneyDefinition }[],
): Map<string, number> {
  const percents = new Map(
    versions.map(({ version, definition }) => [version, definition.holdout.percent / 100]),
  )
  let [customers, held] = [0, 0]
  for (const { mixed, version, n } of found) {
    if (mixed === 1) continue
    customers += n
    held += n * (percents.get(version) ?? 0)
  }
  const share = customers > 0 ? held / customers : (versions[0]?.definition.holdout.percent ?? 0) / 100
  return new Map([['treated', 1 - share], ...(share > 0 ? [[HOLDOUT, share] as const] : [])])
}

/** `customer_id, arm, at, reached, version, mixed` of everybody who ever entered. */
function enrolledIn(id: string): RawBuilder<unknown> {
  return sql`select i.customer_id, min(x.arm) as arm, min(x.entered_at) as at, min(x.version) as version,
      max(case when x.goal_at is null then 0 else 1 end) as reached,
      case when min(x.arm) = max(x.arm) then 0 else 1 end as mixed
    from enrolments x inner join identifiers i on i.id = x.customer_id
    where x.journey_id = ${id} and x.version > 0 group by i.customer_id`
}

/** The same of everybody who came through a split, from when they did. */
function throughSplit({
  id,
  node,
  versions,
}: {
  id: string
  node: string
  versions: readonly number[]
}): RawBuilder<unknown> {
  return sql`select i.customer_id, min(s.outcome) as arm, min(s.at) as at, min(x.version) as version,
      max(case when x.goal_at >= s.at then 1 else 0 end) as reached,
      case when min(s.outcome) = max(s.outcome) then 0 else 1 end as mixed
    from enrolments x
    inner join enrolment_steps s on s.enrolment_id = x.id and s.node = ${node}
    inner join identifiers i on i.id = x.customer_id
    where x.journey_id = ${id} and x.version in (${sql.join(versions)}) and s.outcome like 'arm:%'
    group by i.customer_id`
}

interface Measure {
  arm: string
  version: number
  mixed: number
  n: number
  reached: number
  revenue: number
  squares: number
}

interface Question {
  engine: Engine
  window: number
}

async function readMeasures(
  db: Context['database']['analytics'],
  people: RawBuilder<unknown>,
  { engine, window }: Question,
): Promise<Measure[]> {
  // SQLite would rather go through all events of these names: the plus keeps it from using that index.
  const name = engine === 'sqlite' ? sql`+t.name` : sql`t.name`
  const { rows } = await sql<Record<Exclude<keyof Measure, 'arm'>, number> & { arm: string }>`
    with people as materialized (${people}), paid as (
      select p.customer_id, p.arm, p.version, p.mixed, 0 as reached,
        sum(case when t.name = ${REVENUE.minus} then -coalesce(t.value, 0) else coalesce(t.value, 0) end) as y
      from people p inner join timeline t on t.customer_id = p.customer_id
      where ${name} in (${REVENUE.event}, ${REVENUE.minus}) and t.current = 1
        and t.ts >= p.at and t.ts < p.at + ${sql.lit(window)}
      group by p.customer_id, p.arm, p.version, p.mixed
    ), figures as (
      select min(arm) as arm, min(version) as version, min(mixed) as mixed, max(reached) as reached,
        cast(sum(y) as double precision) as y
      from (select * from paid union all select customer_id, arm, version, mixed, reached, 0 from people) f
      group by customer_id
    )
    select arm, version, mixed, count(*) as n, sum(reached) as reached, sum(y) as revenue, sum(y * y) as squares
    from figures group by arm, version, mixed`.execute(db)
  return rows.map((row) => ({
    arm: row.arm.replace(/^arm:/, ''),
    version: Number(row.version),
    mixed: Number(row.mixed),
    n: Number(row.n),
    reached: Number(row.reached),
    revenue: Number(row.revenue),
    squares: Number(row.squares),
  }))
}

function toResults(
  shares: readonly (readonly [arm: string, share: number])[],
  found: readonly Measure[],
  { control, days }: { control: string; days: number },
): Omit<SplitResults, 'node'> {
  const known = found.filter(({ mixed }) => mixed === 0)
  const sides = shares.map(([arm, share]) => ({
    arm,
    share,
    rate: momentsOf(known, arm, ({ reached }) => [reached, reached]),
    revenue: momentsOf(known, arm, ({ revenue, squares }) => [revenue, squares]),
  }))
  const options = { control, alpha: ALPHA, plannedCustomers: PLANNED }
  const shared = { withinDays: days, where: undefined, cuped: false }
  const rates = compareArms(
    { kind: 'conversion', key: 'goal', event: '', ...shared },
    sides.map(({ arm, rate }) => ({ arm, moments: rate })),
    options,
  )
  const revenues = compareArms(
    { kind: 'value', key: 'revenue', ...REVENUE, ...shared },
    sides.map(({ arm, revenue }) => ({ arm, moments: revenue })),
    options,
  )
  correct([rates, revenues])
  const of = (comparisons: readonly ArmComparison[], arm: string) =>
    comparisons.find((comparison) => comparison.arm === arm) ?? null
  const customers = sides.map(({ rate, share }) => ({ customers: rate.n, share }))
  return {
    arms: sides.map(({ arm, share, rate, revenue }, index) => ({
      arm,
      share,
      customers: rate.n,
      reached: rate.y,
      rate: rate.n === 0 ? 0 : rate.y / rate.n,
      interval: rates.arms[index]?.interval ?? null,
      revenue: revenue.y,
      revenuePerCustomer: revenue.n === 0 ? 0 : revenue.y / revenue.n,
    })),
    comparisons: sides
      .filter(({ arm }) => arm !== control && sides.some((side) => side.arm === control))
      .map(({ arm }) => ({
        arm,
        against: control,
        rate: of(rates.comparisons, arm),
        revenue: of(revenues.comparisons, arm),
      })),
    sampleRatio: checkSampleRatio(customers),
    mixed: found.reduce((sum, { mixed, n }) => sum + (mixed === 1 ? n : 0), 0),
  }
}

function momentsOf(
  found: readonly Measure[],
  arm: string,
  figures: (measure: Measure) => [y: number, yy: number],
): Moments {
  const moments = { n: 0, y: 0, yy: 0, x: 0, xx: 0, xy: 0 }
  for (const measure of found) {
    if (measure.arm !== arm) continue
    const [y, yy] = figures(measure)
    moments.n += measure.n
    moments.y += y
    moments.yy += yy
  }
  return moments
}
