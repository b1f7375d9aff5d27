import type { Tx } from '../db/database.ts'
import { updateRows } from '../db/insert-rows.ts'
import { rowsOf } from '../db/rows.ts'
import { insertEvents } from '../events/append.ts'
import type { NewEvent } from '../events/normalize.ts'
import { isMeant, type SeenEvent, writeSteps } from './follow-events.ts'
import { TASK_WAIT } from './human-steps.ts'
import type { Moment } from './known.ts'
import { type NewDelivery, planDeliveries } from './outbox.ts'
import { nameOf, readPeople } from './people.ts'
import { whoFits } from './rules.ts'
import { addStats } from './stats.ts'
import { JOURNEY_SOURCE, STOPPED, takeOut } from './take-out.ts'
import { type Effects, leaveAfterWait, takeStep, type Traveller } from './steps.ts'
import type { Rule } from '../segments/rule.ts'

const BATCH = 2_000
/** Steps one enrolment takes in one go; a journey that needs more goes on in the next batch. */
const WAVES = 50
/** Lateness up to which steps follow the plan; behind a longer stop they count from when they were done. */
const PUNCTUAL = 60_000

/**
 * Takes the next due enrolments through their steps, until each waits again or has come to its end. What they send and
 * do is written in the same transaction. Returns whether there were any.
 */
export async function advanceDue(tx: Tx, moment: Moment): Promise<boolean> {
  const due = await readDue(tx, moment)
  if (due.length === 0) return false
  const { stopped = [], travellers = [] } = Object.groupBy(due, (each) =>
    isStopped(each, moment) ? 'stopped' : 'travellers',
  )
  await takeOutStopped(tx, stopped, moment)
  const atTasks = travellers
    .filter(({ waiting_for }) => waiting_for?.startsWith(TASK_WAIT))
    .map(({ id }) => id)
  const effects: Effects = { steps: [], deliveries: [], tasks: [], facts: [] }
  await endGone(tx, travellers, moment)
  for (const traveller of travellers) {
    if (traveller.ended_at === null && traveller.state === 'waiting')
      leaveAfterWait(traveller, effects, moment)
  }
  let walking = travellers.filter(isWalking)
  for (let wave = 0; walking.length > 0 && wave < WAVES; wave++) {
    await walk(tx, walking, { effects, moment })
    walking = walking.filter(isWalking)
  }
  // Whoever is not through yet goes on in the next batch.
  for (const traveller of walking) traveller.due_at = moment.now
  await write(tx, travellers, { effects, moment })
  if (atTasks.length > 0) await moment.tasks?.leave(tx, atTasks, moment.now)
  if (effects.tasks.length > 0) await moment.tasks?.open(tx, effects.tasks, moment.now)
  return true
}

/** Whoever was under way when everybody was taken out takes no step more, though their end is not written yet. */
function isStopped({ id, journey_id, version }: Traveller, { known }: Moment): boolean {
  return version > 0 && id <= (known.journeys.get(journey_id)?.stoppedUpTo ?? 0)
}

async function takeOutStopped(tx: Tx, stopped: readonly Traveller[], moment: Moment): Promise<void> {
  const ids = stopped.map(({ id }) => id)
  await takeOut(tx, ids, { reason: STOPPED, now: moment.now, tasks: moment.tasks })
}

function isWalking({ ended_at, state, isStanding }: Traveller): boolean {
  return ended_at === null && state === 'active' && !isStanding
}

async function readDue(tx: Tx, { now, known, batch = BATCH }: Moment): Promise<Traveller[]> {
  const rows = await tx
    .selectFrom('enrolments')
    .leftJoin('identifiers', 'identifiers.id', 'enrolments.customer_id')
    .selectAll('enrolments')
    .select('identifiers.customer_id as current')
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .limit(batch)
    .execute()
  return rows.flatMap(({ current, data, ...row }): Traveller[] => {
    const definition = known.definition(row.journey_id, row.version)
    const due = row.due_at as number
    const journeyState = known.journeys.get(row.journey_id)?.state
    return [
      {
        ...row,
        data: JSON.parse(data) as Record<string, unknown>,
        definition,
        isGone: current === null || definition === undefined,
        wasMerged: current !== null && current !== row.customer_id,
        customer_id: current ?? row.customer_id,
        at: now - due <= PUNCTUAL || (row.visit === 0 && row.state === 'active') ? due : now,
        isPaused: journeyState === 'paused',
      },
    ]
  })
}

/** Who is not known any more leaves; of two that became one, so does the one that came in later. */
async function endGone(tx: Tx, travellers: readonly Traveller[], { now }: Moment): Promise<void> {
  for (const traveller of travellers) if (traveller.isGone) end(traveller, 'erased', now)
  const merged = travellers.filter(({ wasMerged, ended_at }) => wasMerged && ended_at === null)
  if (merged.length === 0) return
  const twins = await tx
    .selectFrom(
      rowsOf(
        tx,
        merged.map(({ id, customer_id }) => ({ id, customer: customer_id })),
        { id: 'integer', customer: 'integer' },
      ),
    )
    .innerJoin('enrolments as own', 'own.id', 'r.id')
    .innerJoin('identifiers', 'identifiers.customer_id', 'r.customer')
    .innerJoin('enrolments as other', (join) =>
      join
        .onRef('other.customer_id', '=', 'identifiers.id')
        .onRef('other.journey_id', '=', 'own.journey_id')
        .onRef('other.entry_key', '=', 'own.entry_key')
        .onRef('other.id', '<', 'own.id'),
    )
    .where('other.ended_at', 'is', null)
    .select('r.id')
    .execute()
  const later = new Set(twins.map(({ id }) => id))
  for (const traveller of merged) if (later.has(traveller.id)) end(traveller, 'merged', now)
}

function end(traveller: Traveller, reason: string, at: number): void {
  Object.assign(traveller, {
    state: 'exited',
    ended_at: at,
    ended_reason: reason,
    due_at: null,
    waiting_for: null,
  })
}

/** One step each. Questions to the database are asked once for everybody at the same node. */
async function walk(
  tx: Tx,
  walking: readonly Traveller[],
  { effects, moment }: { effects: Effects; moment: Moment },
): Promise<void> {
  const groups = Map.groupBy(walking, ({ journey_id, version, node }) => `${journey_id} ${version} ${node}`)
  for (const group of groups.values()) {
    const first = group[0] as Traveller
    const node = first.definition?.nodes[first.node]
    if (!node) {
      for (const traveller of group)
        Object.assign(traveller, {
          state: 'failed',
          ended_at: moment.now,
          ended_reason: 'no_node',
          due_at: null,
        })
      continue
    }
    if (node.type === 'branch') {
      const asks = node.cases.some(({ condition }) => condition)
      const rules = node.cases.flatMap(({ rule }) => (rule ? [rule as Rule] : []))
      const customers = group.map(({ customer_id }) => customer_id)
      const found =
        rules.length === 0 ? [] : await whoFits(tx, rules, { customers, scope: await moment.scope() })
      for (const traveller of group) {
        const holds = asks ? moment.holds(traveller.id, traveller.visit) : []
        if (holds) takeStep(traveller, node, { effects, moment, fits: found, holds })
        // Stands here until its plugin has been asked, outside of any transaction.
        else traveller.isStanding = true
      }
      continue
    }
    if (node.type === 'wait_event') {
      const arrived = await findArrived(tx, group, node.event)
      for (const traveller of group) {
        const seen = arrived
          .get(traveller.customer_id)
          ?.find((event) => event.ts >= traveller.at && isMeant(node, event, traveller.entry_key))
        takeStep(traveller, node, { effects, moment, ...(seen ? { arrivedAt: seen.ts } : {}) })
      }
      continue
    }
    for (const traveller of group) takeStep(traveller, node, { effects, moment })
  }
}

/** What happened between the moment a wait counts from and now, such as in the very batch that let the customer in. */
async function findArrived(
  tx: Tx,
  group: readonly Traveller[],
  event: string,
): Promise<Map<number, SeenEvent[]>> {
  const since = Math.min(...group.map(({ at }) => at))
  const rows = await tx
    .selectFrom(
      rowsOf(
        tx,
        [...new Set(group.map(({ customer_id }) => customer_id))].map((customer) => ({ customer })),
        { customer: 'integer' },
      ),
    )
    .crossJoin('timeline')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .whereRef('timeline.customer_id', '=', 'r.customer')
    .where('timeline.ts', '>=', since)
    .where('timeline.name', '=', event)
    .where('timeline.current', '=', 1)
    .select(['timeline.seq', 'timeline.customer_id', 'timeline.name', 'timeline.ts', 'events.body'])
    .orderBy('timeline.seq')
    .execute()
  const events = rows.map(({ body, ...row }) => ({
    ...row,
    properties: (JSON.parse(body) as { properties?: Record<string, unknown> }).properties ?? {},
  }))
  return Map.groupBy(events, ({ customer_id }) => customer_id)
}

async function write(
  tx: Tx,
  travellers: readonly Traveller[],
  { effects, moment }: { effects: Effects; moment: Moment },
): Promise<void> {
  await updateRows(tx, 'enrolments', {
    rows: travellers.map((traveller) => ({
      id: traveller.id,
      customer_id: traveller.customer_id,
      node: traveller.node,
      visit: traveller.visit,
      state: traveller.state,
      due_at: traveller.isPaused ? null : traveller.due_at,
      held_due_at: traveller.isPaused ? traveller.due_at : null,
      waiting_for: traveller.waiting_for,
      ended_at: traveller.ended_at,
      ended_reason: traveller.ended_reason,
    })),
    columns: {
      id: 'integer',
      customer_id: 'integer',
      node: 'text',
      visit: 'integer',
      state: 'text',
      due_at: 'integer',
      held_due_at: 'integer',
      waiting_for: 'text',
      ended_at: 'integer',
      ended_reason: 'text',
    },
    key: 'id',
  })
  await writeSteps(tx, effects.steps)
  await addStats(
    tx,
    effects.steps.map(({ journey_id, version, node, outcome }) => ({ journey_id, version, node, outcome })),
  )
  await planDeliveries(tx, effects.deliveries as NewDelivery[], moment.now)
  await writeFacts(tx, effects, moment.now)
}

/** Tags and traits are events like any other: the same message id twice is one event. */
async function writeFacts(tx: Tx, { facts }: Effects, now: number): Promise<void> {
  if (facts.length === 0) return
  const people = await readPeople(
    tx,
    facts.map(({ customerId }) => customerId),
  )
  const events = facts.flatMap(({ key, name, customerId, properties, traits }): NewEvent[] => {
    const person = people.get(customerId)
    if (!person) return []
    return [
      {
        message_id: key,
        source: JOURNEY_SOURCE,
        type: name === null ? 'identify' : 'track',
        name,
        ts: now,
        version: now,
        body: JSON.stringify({ ...nameOf(person), properties, traits }),
      },
    ]
  })
  await insertEvents(tx, events, now)
}
