import { type Kysely, sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { BusinessDays } from '../days.ts'
import { rowsOf } from '../db/rows.ts'
import type { Text } from '../points/points.ts'
import { periodsBetween } from './periods.ts'

export interface Tile {
  id: string
  title: Text
  value: number
  type: 'integer' | 'money'
  /** The day before. */
  previous: number
  /** One value a day, the day of `value` last. */
  spark: number[]
  note?: Text
}

export interface Attention {
  kind: 'segment' | 'job' | 'events' | 'plugin' | 'task' | 'alert'
  title: Text
  detail: string | null
  action: { to: string; title: Text }
}

export interface Home {
  /** Business day that the tiles show. */
  day: string
  tiles: Tile[]
  attention: Attention[]
}

const SPAN = 14
const DAY = 86_400_000

/**
 * What the first page shows: the figures of today beside the thirteen days before, and what needs a person. When
 * the newest event is older than yesterday, its day stands for today and the tiles say so.
 */
export async function readHome(context: Pick<CoreContext, 'database' | 'clock' | 'brand'>): Promise<Home> {
  const { database, clock, brand } = context
  const db: Kysely<any> = database.analytics
  const now = clock.now()
  const days = new BusinessDays((await brand()).timeZone)
  const today = days.dayOf(now)
  const [names, attention] = await Promise.all([eventNames(db), readAttention(database.db, now)])
  const newest = names.length > 0 ? await newestEvent(db, names, days.startOf(today + 1)) : null
  if (newest === null) return { day: days.textOf(today), tiles: [], attention }
  const last = days.dayOf(newest) < today - 1 ? days.dayOf(newest) : today
  const periods = periodsBetween(
    { from: days.startOf(last - SPAN + 1), before: days.startOf(last + 1), by: 'day' },
    days,
  )
  const bounds = periods.map(({ from, before }, period) => ({ period, from, before }))
  const [activity, fresh, moved] = await Promise.all([
    readActivity(db, names, bounds),
    readNewCustomers(db, bounds),
    readMoves(db, last),
  ])
  const note = last === today ? undefined : historic(days.textOf(last))
  const tile = (id: string, title: Text, { type, spark }: { type: Tile['type']; spark: number[] }): Tile => ({
    id,
    title,
    type,
    value: spark.at(-1) ?? 0,
    previous: spark.at(-2) ?? 0,
    spark,
    ...(note ? { note } : {}),
  })
  const count = (spark: number[]) => ({ type: 'integer' as const, spark })
  const tiles = [
    tile('new_customers', { en: 'New customers', 'zh-CN': '新客户' }, count(fresh)),
    tile('active_customers', { en: 'Active customers', 'zh-CN': '活跃客户' }, count(activity.customers)),
    ...(names.includes('order.paid')
      ? [
          tile('orders', { en: 'Orders', 'zh-CN': '订单' }, count(activity.orders)),
          tile('revenue', { en: 'Revenue', 'zh-CN': '销售额' }, { type: 'money', spark: activity.revenue }),
        ]
      : []),
    tile('segment_changes', { en: 'Segment changes', 'zh-CN': '人群变动' }, count(moved)),
    tile('events', { en: 'Events', 'zh-CN': '事件' }, count(activity.events)),
  ]
  return { day: days.textOf(last), tiles, attention }
}

function historic(day: string): Text {
  return { en: `The newest data is of ${day}`, 'zh-CN': `最新数据截至 ${day}` }
}

/** Names that occur, by hopping through the index instead of reading it. */
async function eventNames(db: Kysely<any>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    with recursive names(name) as (
      select min(name) from timeline
      union all
      select (select min(t.name) from timeline t where t.name > names.name) from names where names.name is not null)
    select name from names where name is not null limit 1000`.execute(db)
  return rows.map(({ name }) => name)
}

async function newestEvent(
  db: Kysely<any>,
  names: readonly string[],
  before: number,
): Promise<number | null> {
  const rows = names.map((name) => ({ name }))
  const newest = sql<
    number | null
  >`(select max(t.ts) from timeline t where t.name = r.name and t.ts < ${before})`
  const row = await db
    .selectFrom(
      db
        .selectFrom(rowsOf(db, rows, { name: 'text' }))
        .select(newest.as('ts'))
        .as('newest'),
    )
    .select((select) => select.fn.max<number | null>('ts').as('ts'))
    .executeTakeFirst()
  return row?.ts ?? null
}

interface Bound {
  period: number
  from: number
  before: number
}

async function readActivity(db: Kysely<any>, names: readonly string[], bounds: readonly Bound[]) {
  const { rows } = await sql<{
    period: number
    events: number
    customers: number
    orders: number
    revenue: number
  }>`
    select r.period, count(*) as events, count(distinct t.customer_id) as customers,
      sum(case when t.name = 'order.paid' then 1 else 0 end) as orders,
      sum(case when t.name = 'order.paid' then coalesce(t.value, 0) else 0 end) as revenue
    from ${rowsOf(db, bounds, { period: 'integer', from: 'integer', before: 'integer' })} cross join timeline t
    where t.name in (${sql.join(names)}) and t.current = 1 and t.ts >= r."from" and t.ts < r.before
    group by r.period`.execute(db)
  const of = new Map(rows.map((row) => [row.period, row]))
  const figures = (name: 'events' | 'customers' | 'orders' | 'revenue') =>
    bounds.map(({ period }) => of.get(period)?.[name] ?? 0)
  return {
    events: figures('events'),
    customers: figures('customers'),
    orders: figures('orders'),
    revenue: figures('revenue'),
  }
}

/** One pass over the profiles, whatever the number of days. */
async function readNewCustomers(db: Kysely<any>, bounds: readonly Bound[]): Promise<number[]> {
  const sums = bounds.map(({ period, from, before }) =>
    sql<
      number | null
    >`sum(case when first_seen_at >= ${from} and first_seen_at < ${before} then 1 else 0 end)`.as(
      `day_${period}`,
    ),
  )
  const row = (await db
    .selectFrom('profiles')
    .select(sums)
    .where('first_seen_at', '>=', bounds[0]?.from ?? 0)
    .executeTakeFirst()) as Record<string, number | null> | undefined
  return bounds.map(({ period }) => row?.[`day_${period}`] ?? 0)
}

async function readMoves(db: Kysely<any>, last: number): Promise<number[]> {
  const rows = (await db
    .selectFrom('segment_days')
    .select(['day', sql<number>`sum(entered + "left")`.as('moved')])
    .where('day', '>', last - SPAN)
    .where('day', '<=', last)
    .groupBy('day')
    .execute()) as { day: number; moved: number }[]
  const of = new Map(rows.map(({ day, moved }) => [day, moved]))
  return Array.from({ length: SPAN }, (_, index) => of.get(last - SPAN + 1 + index) ?? 0)
}

async function readAttention(db: CoreContext['database']['db'], now: number): Promise<Attention[]> {
  const segments = await db
    .selectFrom('segments')
    .select(['id', 'name', 'error'])
    .where('error', 'is not', null)
    .where('active', '=', 1)
    .limit(5)
    .execute()
  const jobs = await db
    .selectFrom('jobs')
    .select(['title', 'error'])
    .where('state', '=', 'failed')
    .where('finished_at', '>', now - 7 * DAY)
    .orderBy('finished_at', 'desc')
    .limit(5)
    .execute()
  const { refused } = await db
    .selectFrom('rejected_events')
    .select((row) => row.fn.countAll<number>().as('refused'))
    .where('at', '>', now - DAY)
    .executeTakeFirstOrThrow()
  const { overdue } = await db
    .selectFrom('tasks')
    .select((row) => row.fn.countAll<number>().as('overdue'))
    .where('ended_at', 'is', null)
    .where('due_at', '<', now)
    .where((where) => where.or([where('paused_until', 'is', null), where('paused_until', '<=', now)]))
    .executeTakeFirstOrThrow()
  return [
    ...(overdue > 0 ? [overdueTasks(overdue)] : []),
    ...segments.map(({ id, name, error }): Attention => ({
      kind: 'segment',
      title: { en: `Segment "${name}" cannot be kept up to date`, 'zh-CN': `人群“${name}”无法更新` },
      detail: messageOf(error),
      action: {
        to: `/segments/${encodeURIComponent(id)}`,
        title: { en: 'Open the segment', 'zh-CN': '打开人群' },
      },
    })),
    ...jobs.map(({ title, error }): Attention => {
      const { en, 'zh-CN': zh } = titleOf(title)
      return {
        kind: 'job',
        title: { en: `"${en}" failed`, 'zh-CN': `“${zh}”失败` },
        detail: messageOf(error),
        action: { to: '/jobs', title: { en: 'Look at jobs', 'zh-CN': '查看任务' } },
      }
    }),
    ...(refused > 0
      ? [
          {
            kind: 'events' as const,
            title: {
              en: `${refused} events were refused in the last 24 hours`,
              'zh-CN': `过去 24 小时有 ${refused} 条事件被拒收`,
            },
            detail: null,
            action: { to: '/settings', title: { en: 'See why', 'zh-CN': '查看原因' } },
          },
        ]
      : []),
  ]
}

function overdueTasks(count: number): Attention {
  return {
    kind: 'task',
    title: {
      en: count === 1 ? '1 task is overdue' : `${count} tasks are overdue`,
      'zh-CN': `${count} 个工作任务已超时`,
    },
    detail: null,
    action: { to: '/workbench?list=overdue', title: { en: 'Open the tasks', 'zh-CN': '去处理' } },
  }
}

function messageOf(error: string | null): string | null {
  return error === null ? null : (JSON.parse(error) as { message: string }).message
}

/** Titles of jobs are a text or JSON in every language. */
function titleOf(title: string): Text {
  return title.startsWith('{') ? (JSON.parse(title) as Text) : { en: title, 'zh-CN': title }
}
