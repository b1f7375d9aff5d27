import { readCursor, writeCursor } from '../db/cursor.ts'
import type { Tx } from '../db/database.ts'
import { insertRows, updateRows } from '../db/insert-rows.ts'
import { rowsOf } from '../db/rows.ts'
import type { EventBody } from '../events/normalize.ts'
import { PROFILES_CURSOR } from '../profiles/project.ts'
import type { EventMatch, JourneyNode } from './definition.ts'
import { type Entry, enrol } from './enrol.ts'
import type { KnownJourney, Moment } from './known.ts'
import { fitsAll, valueAt } from './matches.ts'
import { addStats, type StatStep } from './stats.ts'

export const EVENTS_CURSOR = 'journeys:events'
const BATCH = 2_000

/** An event as journeys see it. */
export interface SeenEvent {
  seq: number
  customer_id: number
  name: string
  ts: number
  properties: Record<string, unknown>
}

/** An enrolment that an event may concern, and what has become of it. */
interface Open {
  id: number
  journey_id: string
  version: number
  customer_id: number
  entry_key: string
  node: string
  visit: number
  state: string
  due_at: number | null
  held_due_at: number | null
  waiting_for: string | null
  arm: 'treated' | 'holdout'
  entered_at: number
  ended_at: number | null
  ended_reason: string | null
  goal_at: number | null
  changed?: boolean
}

/**
 * Reads the next events and does what journeys do about them: goals are counted, exits taken, waits ended, customers
 * let in. The cursor moves in the same transaction.
 */
export async function followEvents(tx: Tx, moment: Moment): Promise<boolean> {
  const from = await readCursor(tx, EVENTS_CURSOR)
  const to = (await positionOf(tx, PROFILES_CURSOR)) ?? 0
  if (to <= from) return false
  const names = [...moment.known.events]
  const limit = moment.batch ?? BATCH
  if (names.length === 0) {
    await writeCursor(tx, EVENTS_CURSOR, to)
    return false
  }
  const rows = await tx
    .selectFrom('timeline')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .where('timeline.seq', '>', from)
    .where('timeline.seq', '<=', to)
    .where('timeline.current', '=', 1)
    .where('timeline.name', 'in', names)
    .select(['timeline.seq', 'timeline.customer_id', 'timeline.name', 'timeline.ts', 'events.body'])
    .orderBy('timeline.seq')
    .limit(limit)
    .execute()
  const events = rows.map(({ body, ...row }): SeenEvent => ({
    ...row,
    properties: (JSON.parse(body) as EventBody).properties ?? {},
  }))
  if (events.length > 0) await handle(tx, events, moment)
  await writeCursor(tx, EVENTS_CURSOR, rows.length === limit ? (rows.at(-1)?.seq ?? to) : to)
  return events.length > 0
}

export async function positionOf(tx: Tx, name: string): Promise<number | undefined> {
  const row = await tx.selectFrom('cursors').select('position').where('name', '=', name).executeTakeFirst()
  return row?.position
}

async function handle(tx: Tx, events: readonly SeenEvent[], moment: Moment): Promise<void> {
  const open = await readOpen(tx, events)
  const entering = new Map<KnownJourney, Entry[]>()
  const steps: StatStep[] = []
  const history: { enrolment_id: number; visit: number; node: string; at: number; outcome: string }[] = []
  for (const event of events) {
    for (const enrolment of open.get(event.customer_id) ?? [])
      meet(enrolment, event, { moment, steps, history })
    for (const journey of moment.known.journeys.values()) {
      const entries = entering.get(journey) ?? []
      meetEntering(journey, entries, event)
      const entry = toEntry(journey, event, moment.now)
      if (entry) entries.push(entry)
      if (entries.length > 0) entering.set(journey, entries)
    }
  }
  const enrolments = [...open.values()].flat()
  await writeOpen(tx, enrolments, history)
  const left = enrolments.filter(
    ({ changed, ended_at, node, journey_id, version }) =>
      changed &&
      ended_at !== null &&
      moment.known.definition(journey_id, version)?.nodes[node]?.type === 'task',
  )
  if (left.length > 0)
    await moment.tasks?.leave(
      tx,
      left.map(({ id }) => id),
      moment.now,
    )
  await addStats(tx, steps)
  for (const [journey, entries] of entering)
    if (journey.entry) await enrol(tx, { id: journey.id, ...journey.entry }, entries, moment)
}

/** Enrolments of these customers that are under way, or that may still reach their goal. */
async function readOpen(tx: Tx, events: readonly SeenEvent[]): Promise<Map<number, Open[]>> {
  const customers = [...new Set(events.map(({ customer_id }) => customer_id))].map((customer) => ({
    customer,
  }))
  const rows = await tx
    .selectFrom(rowsOf(tx, customers, { customer: 'integer' }))
    // SQLite keeps the order of cross joins: the customers are few, and both tables are found by them.
    .crossJoin('identifiers')
    .crossJoin('enrolments')
    .whereRef('identifiers.customer_id', '=', 'r.customer')
    .whereRef('enrolments.customer_id', '=', 'identifiers.id')
    .where((where) =>
      where.or([where('enrolments.ended_at', 'is', null), where('enrolments.goal_at', 'is', null)]),
    )
    .select([
      'r.customer',
      'enrolments.id',
      'enrolments.journey_id',
      'enrolments.version',
      'enrolments.customer_id',
      'enrolments.entry_key',
      'enrolments.node',
      'enrolments.visit',
      'enrolments.state',
      'enrolments.due_at',
      'enrolments.held_due_at',
      'enrolments.waiting_for',
      'enrolments.arm',
      'enrolments.entered_at',
      'enrolments.ended_at',
      'enrolments.ended_reason',
      'enrolments.goal_at',
    ])
    .orderBy('enrolments.id')
    .execute()
  return Map.groupBy(
    rows.map(({ customer, ...row }) => ({ ...row, customer })),
    ({ customer }) => customer,
  )
}

/** Whether an event is the one that is meant, for this entry. */
export function isMeant(
  match: EventMatch,
  event: Pick<SeenEvent, 'name' | 'properties'>,
  entryKey: string,
): boolean {
  if (match.event !== event.name || !fitsAll(event.properties, match.where)) return false
  return match.key === undefined || String(valueAt(event.properties, match.key) ?? '') === entryKey
}

interface Writing {
  moment: Moment
  steps: StatStep[]
  history: { enrolment_id: number; visit: number; node: string; at: number; outcome: string }[]
}

function meet(enrolment: Open, event: SeenEvent, { moment, steps, history }: Writing): void {
  const { journey_id, version, entry_key } = enrolment
  const definition = moment.known.definition(journey_id, version)
  // What happened before the journey began is no answer to it.
  if (!definition || event.ts < enrolment.entered_at) return
  const { goal, exits, nodes } = definition
  const stat = (node: string, outcome: string) => steps.push({ journey_id, version, node, outcome })
  if (goal && enrolment.goal_at === null && isMeant(goal, event, entry_key)) {
    if (event.ts <= enrolment.entered_at + goal.withinDays * 86_400_000) {
      enrolment.goal_at = event.ts
      enrolment.changed = true
      stat('$goal', enrolment.arm)
      if (goal.leave && enrolment.ended_at === null) end('goal')
    }
  }
  if (enrolment.ended_at !== null) return
  if (exits.some((exit) => 'event' in exit && isMeant(exit, event, entry_key)))
    return end(`event:${event.name}`)
  const node = nodes[enrolment.node]
  if (node?.type !== 'wait_event' || enrolment.waiting_for === null || !isMeant(node, event, entry_key))
    return
  history.push({
    enrolment_id: enrolment.id,
    visit: enrolment.visit,
    node: enrolment.node,
    at: event.ts,
    outcome: 'event',
  })
  stat(enrolment.node, 'event')
  const isPaused = moment.known.journeys.get(journey_id)?.state === 'paused'
  leaveWait(enrolment, node, { at: event.ts, isPaused })

  function end(reason: string): void {
    Object.assign(enrolment, {
      state: 'exited',
      ended_at: event.ts,
      ended_reason: reason,
      due_at: null,
      waiting_for: null,
      changed: true,
    })
    stat('$exit', reason)
  }
}

function leaveWait(
  enrolment: Open,
  node: Extract<JourneyNode, { type: 'wait_event' }>,
  { at, isPaused }: { at: number; isPaused: boolean },
): void {
  Object.assign(enrolment, { waiting_for: null, visit: enrolment.visit + 1, changed: true })
  if (node.next === undefined)
    Object.assign(enrolment, { state: 'done', ended_at: at, ended_reason: 'end', due_at: null })
  else {
    Object.assign(enrolment, { state: 'active', node: node.next })
    Object.assign(enrolment, isPaused ? { due_at: null, held_due_at: at } : { due_at: at })
  }
}

/** Goals and exits of those who are only just coming in. */
function meetEntering(journey: KnownJourney, entries: readonly Entry[], event: SeenEvent): void {
  if (!journey.entry) return
  const { goal, exits } = journey.entry.definition
  for (const entry of entries) {
    if (entry.customerId !== event.customer_id || entry.ended || event.ts < entry.at) continue
    if (goal && entry.goalAt === undefined && isMeant(goal, event, entry.entryKey)) {
      entry.goalAt = event.ts
      if (goal.leave) entry.ended = { reason: 'goal', at: event.ts }
    } else if (exits.some((exit) => 'event' in exit && isMeant(exit, event, entry.entryKey)))
      entry.ended = { reason: `event:${event.name}`, at: event.ts }
  }
}

function toEntry({ entry }: KnownJourney, event: SeenEvent, now: number): Entry | undefined {
  const trigger = entry?.definition.trigger
  if (trigger?.type !== 'event' || trigger.event !== event.name) return undefined
  if (now - event.ts > trigger.maxAgeHours * 3_600_000 || !fitsAll(event.properties, trigger.where))
    return undefined
  const key = trigger.key === undefined ? '' : valueAt(event.properties, trigger.key)
  // Without its key nobody could tell this order from another.
  if (key === undefined || key === null || (trigger.key !== undefined && key === '')) return undefined
  return {
    customerId: event.customer_id,
    entryKey: String(key).slice(0, 200),
    data: { event: event.properties },
    // A sender's clock that runs ahead must not put the beginning into the future.
    at: Math.min(event.ts, now),
  }
}

async function writeOpen(tx: Tx, enrolments: readonly Open[], history: Writing['history']): Promise<void> {
  const changed = enrolments.filter((enrolment) => enrolment.changed)
  await updateRows(tx, 'enrolments', {
    rows: changed.map(
      ({ id, node, visit, state, due_at, held_due_at, waiting_for, ended_at, ended_reason, goal_at }) => ({
        id,
        node,
        visit,
        state,
        due_at,
        held_due_at,
        waiting_for,
        ended_at,
        ended_reason,
        goal_at,
      }),
    ),
    columns: {
      id: 'integer',
      node: 'text',
      visit: 'integer',
      state: 'text',
      due_at: 'integer',
      held_due_at: 'integer',
      waiting_for: 'text',
      ended_at: 'integer',
      ended_reason: 'text',
      goal_at: 'integer',
    },
    key: 'id',
  })
  await writeSteps(tx, history)
}

/** History of enrolments, step by step. */
export async function writeSteps(tx: Tx, steps: Writing['history']): Promise<void> {
  await insertRows(tx, 'enrolment_steps', {
    rows: steps,
    columns: { enrolment_id: 'integer', visit: 'integer', node: 'text', at: 'integer', outcome: 'text' },
    conflict: { columns: ['enrolment_id', 'visit'], then: 'keep' },
  })
}
