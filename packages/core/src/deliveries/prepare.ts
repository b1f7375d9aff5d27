import { randomUUID } from 'node:crypto'
import type { Delivery } from '@huitou/plugin-api'
import { businessDaysIn } from '../days.ts'
import { readCursor } from '../db/cursor.ts'
import { transact, type Tx } from '../db/database.ts'
import { insertRows, updateRows } from '../db/insert-rows.ts'
import type { Brand } from '../settings/brand.ts'
import { chooseChannels } from './apply-choice.ts'
import { type AccountRow, breakerOf, findAccount, takeTokens } from './accounts.ts'
import { askGates, type GateAnswers, gatesOf } from './gates.ts'
import { Guards, type GuardWorld, type Verdict } from './guards.ts'
import { addTouches, EVERYONE, heldDay, type Touch } from './ledger.ts'
import { appendMessageEvents } from './message-events.ts'
import type { Route } from '../journeys/outbox.ts'
import { type Person, readPeople } from '../journeys/people.ts'
import { MessageWriter, type MessageToWrite } from './message-writer.ts'
import { readNext, type StoredDelivery } from './next-messages.ts'
import { contentMasker } from './shown-content.ts'
import { withoutStopped } from './stopped-journeys.ts'
import type { DeliveryState } from './tables.ts'
import { type DeliveryContext, LEASE_MS } from './worker-context.ts'

/** Messages that this worker holds, ready to be handed to the channel. */
export interface Prepared {
  account: AccountRow
  token: string
  leased: {
    row: StoredDelivery
    person: Person
    touch: Touch
    delivery: Delivery
    /** Content as it may be kept, JSON. */
    shown: string
  }[]
}

/** What the guards decided about a row, to be written. */
interface Decision {
  row: StoredDelivery
  person: Person | undefined
  state: DeliveryState
  reason: string | null
  details: string | null
  due_at: number
  route?: Route & { alternatives: Route[] }
}

/** What guards refuse because of the channel; another one may still do. */
const CHANNEL_BOUND = new Set([
  'no_address',
  'undeliverable',
  'no_consent',
  'consent_outdated',
  'cap_channel_day',
  'budget',
  'fatigue',
  'window_closed',
  'no_credit',
])
/** How often the next due messages are looked at to fill one call. */
const LOOKS = 3

/**
 * Takes the next due messages of one channel's account through the guards and leases what may go: all in one
 * transaction, which is the last before the call. Returns undefined when nothing is due.
 */
export async function prepareBatch(
  context: DeliveryContext,
  { channel, account: wanted }: { channel: string; account: string },
): Promise<Prepared | undefined> {
  const { database, clock, points } = context
  const contribution = points.channels.find(channel)
  if (!contribution) return undefined
  const now = clock.now()
  const brand = await context.brand()
  const policy = await context.policy()
  const size = contribution.value.limits?.batchSize ?? 100
  const gates = gatesOf(points, channel)
  let answers: GateAnswers | undefined
  if (gates.length > 0) {
    const candidates = await readNext(database.db, { channel, account: wanted, now, limit: size })
    if (candidates.length === 0) return undefined
    answers = await askGates(context, gates, candidates)
  }
  return await transact(database.db, async (tx) => {
    // Nodes take turns, so that none spends a slot that another one has just taken.
    await readCursor(tx, 'deliveries')
    const account = await findAccount(tx, channel, wanted, now)
    if (!account || account.active === 0) return undefined
    const breaker = breakerOf(account, now)
    if (breaker === 'open') return undefined
    const world: GuardWorld = {
      policy,
      declaration: contribution.value,
      channel,
      account: account.id,
      now,
      timeZone: brand.timeZone,
      days: businessDaysIn(brand.timeZone),
    }
    const prepared: Prepared = { account, token: randomUUID(), leased: [] }
    const limit = breaker === 'probe' ? 1 : size
    // Where guards refuse most of what they see, a call shall not go out for the few that are left.
    for (let look = 0; look < LOOKS; look++) {
      const rows = await readNext(tx, { channel, account: wanted, now, limit: size })
      if (rows.length === 0 && look === 0) return undefined
      const going = await withoutStopped(tx, rows, now)
      await decide(tx, prepared, { rows: going, world, answers, limit, context, brand })
      if (rows.length < size || prepared.leased.length * 2 >= limit) break
    }
    return prepared
  })
}

interface Deciding {
  rows: StoredDelivery[]
  world: GuardWorld
  answers: GateAnswers | undefined
  /** Messages of one call. */
  limit: number
  context: DeliveryContext
  brand: Brand
}

async function decide(tx: Tx, prepared: Prepared, deciding: Deciding): Promise<void> {
  const { world, answers, context, brand } = deciding
  const { account } = prepared
  const limit = deciding.limit - prepared.leased.length
  const people = await readPeople(
    tx,
    deciding.rows.map(({ customer_id }) => customer_id),
  )
  const { points } = context
  const { policy, now } = world
  const rows = await chooseChannels(tx, deciding.rows, { policy, people, points, brand, now })
  const guards = await Guards.read(tx, world, people.values())
  const mask = await contentMasker(tx)
  const writer = await openWriter(tx, deciding)
  const leased: Prepared['leased'] = []
  const decisions: Decision[] = []
  const todayLeft = leftToday(guards, world)
  const { granted, nextAt } = await takeTokens(tx, account, {
    wanted: Math.min(limit, rows.length, todayLeft),
    perSecond: world.declaration.limits?.perSecond,
    now: world.now,
  })
  let unused = granted
  for (const row of rows) {
    const person = people.get(row.customer_id)
    let verdict: Verdict = guards.check(row, person)
    const asked = answers?.get(row.id)
    if ('allow' in verdict && verdict.allow && answers) {
      // Not asked yet: its turn comes with the next batch.
      if (!asked) continue
      if (asked !== 'allowed') verdict = asked
    }
    if (!('allow' in verdict && verdict.allow) || !person) {
      decisions.push(toDecision(row, person, verdict))
      continue
    }
    if (unused === 0) {
      if (granted < limit && granted < rows.length)
        decisions.push(
          toDecision(row, person, { later: laterOf(world, todayLeft, nextAt), reason: 'provider_limit' }),
        )
      continue
    }
    const rendered = writer.write(toWrite(row, person))
    if ('problem' in rendered) {
      const { problem, missing } = rendered
      decisions.push(
        toDecision(row, person, { allow: false, reason: 'content', details: { problem, missing } }),
      )
      continue
    }
    unused--
    const delivery: Delivery = {
      key: row.key,
      customerId: person.id,
      address: verdict.address,
      content: rendered.content,
      locale: rendered.locale,
      attempt: row.attempts + 1,
    }
    const shown = JSON.stringify(mask(rendered.shown, person))
    leased.push({ row, person, touch: guards.count(person, row), delivery, shown })
  }
  await giveBackTokens(tx, account, world.declaration.limits?.perSecond === undefined ? 0 : unused)
  await lease(tx, { ...prepared, leased }, world.now)
  await writer.save(tx)
  await writeDecisions(tx, decisions, world.now)
  prepared.leased.push(...leased)
}

function leftToday(guards: Guards, { declaration }: GuardWorld): number {
  const perDay = declaration.limits?.perDay
  return perDay === undefined ? Infinity : Math.max(0, perDay - guards.sentToday(EVERYONE))
}

function laterOf({ days, now }: GuardWorld, todayLeft: number, nextAt: number): number {
  return todayLeft === 0 ? days.startOf(days.dayOf(now) + 1) : nextAt
}

async function giveBackTokens(tx: Tx, account: AccountRow, unused: number): Promise<void> {
  if (unused === 0) return
  account.tokens = (account.tokens ?? 0) + unused
  await tx
    .updateTable('channel_accounts')
    .set({ tokens: account.tokens })
    .where('id', '=', account.id)
    .execute()
}

async function openWriter(tx: Tx, { rows, world, brand, context }: Deciding): Promise<MessageWriter> {
  const contents = rows.map(({ content }) => JSON.parse(content) as Record<string, unknown>)
  const { now, declaration } = world
  return await MessageWriter.open(tx, { brand, now, box: context.box, schema: declaration.content }, contents)
}

function toWrite(row: StoredDelivery, { profile }: Person): MessageToWrite {
  return {
    content: JSON.parse(row.content) as Record<string, unknown>,
    given: JSON.parse(row.context) as Record<string, unknown>,
    profile,
    purpose: row.purpose,
    delivery: { id: row.id, key: row.key },
  }
}

function toDecision(row: StoredDelivery, person: Person | undefined, verdict: Verdict): Decision {
  const base = { row, person, details: null, due_at: row.due_at }
  if ('later' in verdict) {
    if (row.expires_at !== null && verdict.later >= row.expires_at)
      return {
        ...base,
        state: 'refused',
        reason: 'expired',
        details: JSON.stringify({ because: verdict.reason, ...verdict.details }),
      }
    const details = verdict.details ? JSON.stringify(verdict.details) : null
    return { ...base, state: 'planned', reason: verdict.reason, details, due_at: verdict.later }
  }
  if (verdict.allow) throw new Error('Nothing to decide about a message that may go')
  const details = detailsOf(row, verdict)
  const [next, ...rest] = JSON.parse(row.alternatives) as Route[]
  if (next && CHANNEL_BOUND.has(verdict.reason))
    return {
      ...base,
      state: 'planned',
      reason: verdict.reason,
      details,
      route: { ...next, alternatives: rest },
    }
  return { ...base, state: 'refused', reason: verdict.reason, details }
}

/** What goes with a refusal; of a message that came too late, what it had waited for. */
function detailsOf(
  row: StoredDelivery,
  { reason, details }: Extract<Verdict, { allow: false }>,
): string | null {
  if (details) return JSON.stringify(details)
  if (reason !== 'expired' || row.reason === null) return null
  return JSON.stringify({ because: row.reason, ...(JSON.parse(row.details ?? '{}') as object) })
}

async function lease(tx: Tx, { leased, token }: Prepared, now: number): Promise<void> {
  await updateRows(tx, 'deliveries', {
    rows: leased.map(({ row, touch, shown }) => ({
      id: row.id,
      state: 'leased',
      shown_content: shown,
      used_account: touch.account,
      touch_day: heldDay(touch),
      leased_until: now + LEASE_MS,
      lease_token: token,
      attempts: row.attempts + 1,
      reason: null,
      details: null,
      updated_at: now,
    })),
    columns: {
      id: 'integer',
      state: 'text',
      shown_content: 'text',
      used_account: 'text',
      touch_day: 'integer',
      leased_until: 'integer',
      lease_token: 'text',
      attempts: 'integer',
      reason: 'text',
      details: 'text',
      updated_at: 'integer',
    },
    key: 'id',
  })
  await addTouches(
    tx,
    leased.map(({ touch }) => touch),
  )
}

/** Refusals, delays and changes of channel, each with its reason; refusals go onto the customer's timeline. */
async function writeDecisions(tx: Tx, decisions: readonly Decision[], now: number): Promise<void> {
  await updateRows(tx, 'deliveries', {
    rows: decisions.map(({ row, state, reason, details, due_at, route }) => ({
      id: row.id,
      state,
      reason,
      details,
      due_at,
      updated_at: now,
      channel: route?.channel ?? row.channel,
      account: route?.account ?? row.account,
      content: route ? JSON.stringify(route.content) : row.content,
      alternatives: route ? JSON.stringify(route.alternatives) : row.alternatives,
    })),
    columns: {
      id: 'integer',
      state: 'text',
      reason: 'text',
      details: 'text',
      due_at: 'integer',
      updated_at: 'integer',
      channel: 'text',
      account: 'text',
      content: 'json',
      alternatives: 'json',
    },
    key: 'id',
  })
  // A message that waits for its turn at the provider does so many times a minute: that is no news.
  const news = decisions.filter(({ reason }) => reason !== 'provider_limit')
  await insertRows(tx, 'delivery_events', {
    rows: news.map(({ row, state, reason, details, route }) => ({
      delivery_id: row.id,
      at: now,
      kind: state === 'refused' ? 'refused' : route ? 'rerouted' : 'postponed',
      reason,
      details: route ? JSON.stringify({ from: row.channel, to: route.channel }) : details,
    })),
    columns: { delivery_id: 'integer', at: 'integer', kind: 'text', reason: 'text', details: 'text' },
  })
  const refused = decisions.filter(({ state }) => state === 'refused')
  await appendMessageEvents(
    tx,
    refused.flatMap(({ row, person, reason }) =>
      person
        ? [
            {
              id: `${row.key}:refused`,
              name: 'message.refused',
              at: now,
              person,
              delivery: row,
              more: { reason },
            },
          ]
        : [],
    ),
    now,
  )
}
