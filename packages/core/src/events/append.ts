import { AppError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import { type Database, transact, type Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { engineOf } from '../db/rows.ts'
import { isConsentEvent, withoutSender } from './consent-events.ts'
import { fingerprintsOf, refusedEvents } from './gate.ts'
import type { EventBody, NewEvent } from './normalize.ts'

/** Rows per transaction: enough to share one disk flush among many callers, few enough to keep each wait short. */
const GROUP = 4_000
/** Turns of the event loop that a commit waits at most for others to join. */
const GATHER_TURNS = 10
/** Events that may wait in memory for the disk before senders are asked to come back later. */
const WAITING_LIMIT = 50_000

export interface AppendResult {
  accepted: number
  /** Message ids already known; nothing was written for them. */
  duplicates: number
}

interface Waiting {
  events: readonly NewEvent[]
  resolve: (result: AppendResult) => void
  reject: (error: unknown) => void
}

/** Appends events to the log. All callers that arrive while one commit is on its way share the next one. */
export interface EventLog {
  /** Resolves once the events are on disk. An event whose source and message id are known changes nothing. */
  append(events: readonly NewEvent[]): Promise<AppendResult>
  /** Whether events wait for the disk. */
  isBusy(): boolean
  /** Called after every commit that added something. Returns what stops the calls. */
  onAppend(listener: () => void): () => void
}

export function createEventLog({ db }: Pick<Database, 'db'>, clock: Clock): EventLog {
  const queue: Waiting[] = []
  const listeners = new Set<() => void>()
  let writing = false
  let waiting = 0

  /**
   * Lets requests that have already arrived join the commit: while more keep coming with every turn of the event
   * loop, it waits one more. A flush to disk costs as much for one event as for thousands.
   */
  async function gather(): Promise<void> {
    for (let turn = 0, before = -1; turn < GATHER_TURNS && queue.length > before && waiting < GROUP; turn++) {
      before = queue.length
      await new Promise<void>((resolve) => void setImmediate(resolve))
    }
  }

  async function drain(): Promise<void> {
    writing = true
    while (queue.length > 0) {
      await gather()
      const group: Waiting[] = []
      for (let rows = 0; queue[0] && (group.length === 0 || rows + queue[0].events.length <= GROUP);) {
        const next = queue.shift() as Waiting
        rows += next.events.length
        group.push(next)
      }
      const taken = group.reduce((sum, { events }) => sum + events.length, 0)
      try {
        const added = await transact(db, (tx) =>
          insertEvents(
            tx,
            group.flatMap(({ events }) => events),
            clock.now(),
          ),
        )
        settle(group, added)
        if (added.size > 0) for (const listener of listeners) listener()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
      waiting -= taken
    }
    writing = false
  }

  return {
    append(events) {
      if (events.length === 0) return Promise.resolve({ accepted: 0, duplicates: 0 })
      if (waiting > WAITING_LIMIT) {
        return Promise.reject(
          new AppError('world', 'E_INGEST_BUSY', 'More events are waiting than the database can take', {
            status: 503,
            hint: 'Send them again in a few seconds; nothing of this request was kept.',
          }),
        )
      }
      waiting += events.length
      return new Promise((resolve, reject) => {
        queue.push({ events, resolve, reject })
        if (!writing) void drain()
      })
    },
    isBusy: () => writing,
    onAppend(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/**
 * Inserts what is new and returns its `source messageId` keys. For callers with a transaction of their own. What the
 * gate refuses looks to the sender like what was known already: whom a brand has erased is nobody else's business.
 */
export async function insertEvents(
  tx: Tx,
  events: readonly NewEvent[],
  receivedAt: number,
): Promise<Set<string>> {
  await takeTurn(tx)
  const refused = await refusedEvents(tx, events.length, (position) => {
    const { type, body } = events[position] as NewEvent
    return { type, body: JSON.parse(body) as EventBody }
  })
  const kept = refused.size === 0 ? events : events.filter((_, position) => !refused.has(position))
  const written = await insertRows(tx, 'events', {
    rows: kept.map((event) => ({ ...keepable(tx, event), received_at: event.received_at ?? receivedAt })),
    columns: {
      message_id: 'text',
      source: 'text',
      type: 'text',
      name: 'text',
      ts: 'integer',
      received_at: 'integer',
      version: 'integer',
      body: 'json',
    },
    conflict: { columns: ['message_id', 'source'], then: 'keep' },
  })
  return new Set(written.map((position) => `${kept[position]?.source} ${kept[position]?.message_id}`))
}

/** Where a consent came from is kept as evidence, and not as an address. */
function keepable(tx: Tx, event: NewEvent): NewEvent {
  if (!isConsentEvent(event.name)) return event
  const body = withoutSender(JSON.parse(event.body) as EventBody, fingerprintsOf(tx))
  return { ...event, body: JSON.stringify(body) }
}

/** Any number, the same on every node: names the lock that appending takes. */
const APPEND_LOCK = 4_711_001

/**
 * On PostgreSQL transactions that append go one after another. Numbers are given before the commit, so without
 * this a later number could be seen before an earlier one, and a cursor would step over it for good.
 *
 * Whoever changes rows that others change in a transaction that appends takes its turn before the first of them.
 */
export async function takeTurn(tx: Tx): Promise<void> {
  if (engineOf(tx) === 'postgres') await sql`select pg_advisory_xact_lock(${APPEND_LOCK})`.execute(tx)
}

/** Gives every caller its own count; of the same new event sent by two callers the first is the accepted one. */
function settle(group: readonly Waiting[], added: Set<string>): void {
  for (const { events, resolve } of group) {
    let accepted = 0
    for (const { source, message_id } of events) if (added.delete(`${source} ${message_id}`)) accepted++
    resolve({ accepted, duplicates: events.length - accepted })
  }
}
