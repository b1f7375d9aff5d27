import { Cron } from 'croner'
import { sql, type SqlBool } from 'kysely'
import { businessDaysIn } from '../days.ts'
import type { Tx } from '../db/database.ts'
import { classOf } from '../segments/rule-columns.ts'
import { compileNodes } from '../segments/compile.ts'
import type { Rule } from '../segments/rule.ts'
import { lunarBirthdays, nextFestival, nextTimeOfDay, solarBirthdays } from './calendar.ts'
import type { Trigger } from './definition.ts'
import { enrol } from './enrol.ts'
import { dayText, type Moment } from './known.ts'
import { isReadable } from './rules.ts'

/** Customers looked at in one piece of work. */
const BATCH = 2_000
/** A run that a stopped server missed is made up for within this. */
const GRACE = 24 * 3_600_000

/** When a journey looks for customers next; NULL for one that waits to be told. */
export function nextRun(trigger: Trigger, timeZone: string, after: number): number | null {
  if (trigger.type === 'date') return nextTimeOfDay({ time: trigger.at }, timeZone, after + 1)
  if (trigger.type !== 'schedule') return null
  if (trigger.cron !== undefined) {
    const next = new Cron(trigger.cron, { timezone: timeZone, mode: '5-part' }).nextRun(new Date(after))
    return next?.getTime() ?? null
  }
  const today = Temporal.Instant.fromEpochMilliseconds(after).toZonedDateTimeISO(timeZone).toPlainDate()
  let from = today.subtract({ days: trigger.offsetDays })
  for (let tries = 0; tries < 3; tries++) {
    const festival = nextFestival(trigger.festival ?? '', from)
    const day = festival.add({ days: trigger.offsetDays })
    const moment = day.toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from(trigger.at) })
    if (moment.epochMilliseconds > after) return moment.epochMilliseconds
    from = festival.add({ days: 1 })
  }
  return null
}

/** Starts runs that are due and takes those under way a piece further. Returns whether there was anything to do. */
export async function advanceRuns(tx: Tx, moment: Moment): Promise<boolean> {
  const { now, known, timeZone } = moment
  const rows = await tx
    .selectFrom('journeys')
    .select(['id', 'next_run_at', 'run_at', 'run_after'])
    .where('state', '=', 'live')
    .where((where) => where.or([where('next_run_at', '<=', now), where('run_at', 'is not', null)]))
    .execute()
  let did = false
  for (const row of rows) {
    const entry = known.journeys.get(row.id)?.entry
    if (!entry) continue
    did = true
    if (row.run_at === null) {
      const due = row.next_run_at as number
      await tx
        .updateTable('journeys')
        .set({
          next_run_at: nextRun(entry.definition.trigger, timeZone, now),
          ...(now - due <= GRACE ? { run_at: due, run_after: 0 } : {}),
        })
        .where('id', '=', row.id)
        .execute()
      continue
    }
    await takeRunFurther(tx, { ...row, run_at: row.run_at, entry }, moment)
  }
  return did
}

interface Run {
  id: string
  run_at: number
  run_after: number | null
  entry: NonNullable<NonNullable<ReturnType<Moment['known']['journeys']['get']>>['entry']>
}

async function takeRunFurther(tx: Tx, run: Run, moment: Moment): Promise<void> {
  const { definition } = run.entry
  let query = tx
    .selectFrom('profiles')
    .select('customer_id')
    .where('customer_id', '>', run.run_after ?? 0)
    .orderBy('customer_id')
    .limit(BATCH)
  const scope = await moment.scope()
  if (definition.filter) {
    const filter = definition.filter as Rule
    // What it names may have been deleted meanwhile: then nobody is let in, and other journeys go on.
    const [condition] = isReadable(filter, scope)
      ? compileNodes([filter], scope, 'few').conditions
      : [sql<SqlBool>`1 = 0`]
    if (condition) query = query.where(condition)
  }
  const { trigger } = definition
  if (trigger.type === 'date') {
    const column = scope.columns.get(trigger.column)
    // Its plugin was disabled meanwhile: nobody's day is known.
    query = query.where(
      column ? isTheDay(trigger, classOf(column.type), { run, moment }) : sql<SqlBool>`1 = 0`,
    )
  }
  const customers = await query.execute()
  const key = dayText(moment.timeZone, run.run_at)
  await enrol(
    tx,
    { id: run.id, version: run.entry.version, definition: { ...definition, filter: undefined } },
    customers.map(({ customer_id }) => ({
      customerId: customer_id,
      entryKey: key,
      data: { run: { day: key } },
      at: Math.max(run.run_at, moment.now - 60_000),
    })),
    moment,
  )
  const last = customers.at(-1)
  await tx
    .updateTable('journeys')
    .set(
      last && customers.length === BATCH
        ? { run_after: last.customer_id }
        : { run_at: null, run_after: null },
    )
    .where('id', '=', run.id)
    .execute()
}

/** Whether it is the customer's day: the date in the column, moved by the offset. */
function isTheDay(
  { column, calendar, repeat, offsetDays }: Extract<Trigger, { type: 'date' }>,
  valueClass: string,
  { run, moment }: { run: Run; moment: Moment },
) {
  const days = businessDaysIn(moment.timeZone)
  const day = days.dayOf(run.run_at) - offsetDays
  const value = sql.ref(`profiles.${column}`)
  if (valueClass !== 'text') {
    if (repeat === 'once')
      return sql<SqlBool>`(${value} >= ${days.startOf(day)} and ${value} < ${days.startOf(day + 1)})`
    // Moments of every year up to now that fall on this day of the year.
    const date = days.dateOf(day)
    const spans = Array.from(
      { length: 120 },
      (_, years) => days.dayOf(run.run_at) && date.subtract({ years }),
    )
      .map((each) => days.parse(each.toString()))
      .map(
        (each) => sql<SqlBool>`(${value} >= ${days.startOf(each)} and ${value} < ${days.startOf(each + 1)})`,
      )
    return sql<SqlBool>`(${sql.join(spans, sql` or `)})`
  }
  const date = days.dateOf(day)
  if (repeat === 'once') return sql<SqlBool>`(substr(${value}, 1, 10) = ${date.toString()})`
  if (calendar === 'solar')
    return sql<SqlBool>`(substr(${value}, 6, 5) in (${sql.join(solarBirthdays(date))}))`
  const births = lunarBirthdays(date)
  return births.length === 0
    ? sql<SqlBool>`1 = 0`
    : sql<SqlBool>`(substr(${value}, 1, 10) in (${sql.join(births)}))`
}
