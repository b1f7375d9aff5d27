import { userError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { v7 as uuid } from 'uuid'
import type { CoreContext } from '../context.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { idRows } from '../db/rows.ts'
import { readPeople, type Person } from '../journeys/people.ts'
import { type CustomerFilter, findCustomerIds } from '../segments/search.ts'
import type { BulkState } from './bulk-tables.ts'

/** Customers that one thing is done to at most. */
export const PEOPLE_LIMIT = 100_000
/** Lists of those it was done to are kept this long. */
const KEPT_MS = 30 * 86_400_000
const CHUNK = 5_000

/** Customers by id, or all that the customer list finds. */
export type Who = { ids: number[] } | CustomerFilter

type Context = Pick<CoreContext, 'database' | 'clock' | 'brand'>

/** Ids of everybody meant; one more than the limit when there are more. */
export async function findPeople(context: Context, who: Who): Promise<number[]> {
  if (!('ids' in who)) return await findCustomerIds(context, who, PEOPLE_LIMIT + 1)
  const rows = await context.database.db
    .selectFrom(idRows(context.database.db, new Set(who.ids)))
    .innerJoin('identifiers', 'identifiers.id', 'r.id')
    .innerJoin('profiles', 'profiles.customer_id', 'identifiers.customer_id')
    .select('profiles.customer_id')
    .distinct()
    .execute()
  return rows.map(({ customer_id }) => customer_id)
}

/**
 * Writes down whom it is done to, so that a crash changes nothing about it. What one was told, `expected`, must still
 * be so: more or fewer is `E_PEOPLE_CHANGED`. Returns the run's name.
 */
export async function planTargets(context: Context, who: Who, expected: number): Promise<string> {
  const ids = await findPeople(context, who)
  if (ids.length > PEOPLE_LIMIT)
    throw userError('E_TOO_MANY_PEOPLE', `This can be done to at most ${PEOPLE_LIMIT} customers at once`, {
      status: 422,
      details: { limit: PEOPLE_LIMIT },
      hint: 'Choose fewer, for instance with a segment.',
    })
  if (ids.length !== expected)
    throw userError('E_PEOPLE_CHANGED', `It would be done to ${ids.length} customers, not ${expected}`, {
      status: 409,
      details: { count: ids.length, expected },
      hint: 'Look again and confirm the new number.',
    })
  const run = uuid()
  const now = context.clock.now()
  await transact(context.database.db, async (tx) => {
    await tx
      .deleteFrom('bulk_targets')
      .where('created_at', '<', now - KEPT_MS)
      .execute()
    for (let start = 0; start < ids.length; start += CHUNK)
      await addTargets(tx, { run, ids: ids.slice(start, start + CHUNK), now })
  })
  return run
}

async function addTargets(tx: Tx, { run, ids, now }: { run: string; ids: readonly number[]; now: number }) {
  await insertRows(tx, 'bulk_targets', {
    rows: ids.map((customer_id) => ({
      run,
      customer_id,
      state: 'planned',
      attempts: 0,
      created_at: now,
    })),
    columns: {
      run: 'text',
      customer_id: 'integer',
      state: 'text',
      attempts: 'integer',
      created_at: 'integer',
    },
    conflict: { columns: ['run', 'customer_id'], then: 'keep' },
  })
}

export interface Taken {
  /** Whom the list names; {@link person} is who that is now. */
  customerId: number
  person: Person
  attempts: number
  /** Whether the last attempt failed in a way that may pass. */
  hasFailed: boolean
}

/**
 * Takes the next customers of a run: they count as begun from here on, and nobody else gets them. Who went up into
 * somebody else since counts as that one, once; who is not known any more is left out.
 */
export async function takeTargets(
  db: Db,
  { run, limit, now }: { run: string; limit: number; now: number },
): Promise<{ taken: Taken[]; isEnd: boolean }> {
  return await transact(db, async (tx) => {
    const rows = await tx
      .selectFrom('bulk_targets')
      .select(['customer_id', 'attempts', 'reason'])
      .where('run', '=', run)
      .where('state', '=', 'planned')
      .orderBy('attempts')
      .orderBy('customer_id')
      .limit(limit)
      .execute()
    if (rows.length === 0) return { taken: [], isEnd: true }
    const people = await readPeople(
      tx,
      rows.map(({ customer_id }) => customer_id),
    )
    const kinds = Map.groupBy(rows, ({ customer_id, attempts }) => {
      const person = people.get(customer_id)
      if (!person) return 'gone'
      // What was tried for somebody may have been done: it stays theirs, under the same key.
      return person.id === customer_id || attempts > 0 ? 'begun' : 'merged'
    })
    const own = { gone: new Set<number>(), begun: new Set<number>(), merged: new Set<number>() }
    for (const [state, each] of kinds)
      for (const id of await setState(tx, { run, ids: each.map(({ customer_id }) => customer_id) }, state))
        own[state].add(id)
    await addTargets(tx, { run, ids: [...own.merged].map((id) => (people.get(id) as Person).id), now })
    const taken = rows
      .filter(({ customer_id }) => own.begun.has(customer_id))
      .map(({ customer_id, attempts, reason }): Taken => ({
        customerId: customer_id,
        person: people.get(customer_id) as Person,
        attempts: attempts + 1,
        hasFailed: reason !== null,
      }))
    return { taken, isEnd: false }
  })
}

/** Of two nodes that saw the same rows each gets its own; returns whose they are. */
async function setState(
  tx: Tx,
  { run, ids }: { run: string; ids: readonly number[] },
  state: 'gone' | 'begun' | 'merged',
): Promise<number[]> {
  const rows = await tx
    .updateTable('bulk_targets')
    .set((row) => ({ state, attempts: sql<number>`${row.ref('attempts')} + 1` }))
    .where('run', '=', run)
    .where('state', '=', 'planned')
    .where('customer_id', 'in', (where) => where.selectFrom(idRows(tx, ids)).select('r.id'))
    .returning('customer_id')
    .execute()
  return rows.map(({ customer_id }) => customer_id)
}

/** Says what has become of some of those taken. */
export async function settleTargets(
  db: Db,
  { run, taken }: { run: string; taken: readonly Taken[] },
  { state, reason }: { state: BulkState; reason: string | null },
): Promise<void> {
  const ids = taken.map(({ customerId }) => customerId)
  await db
    .updateTable('bulk_targets')
    .set({ state, reason })
    .where('run', '=', run)
    .where('state', '=', 'begun')
    .where('customer_id', 'in', (where) => where.selectFrom(idRows(db, ids)).select('r.id'))
    .execute()
}

/** What was under way when the work broke off: done again where that does no harm, and otherwise never. */
export async function takeUpAgain(db: Db, run: string, repeatable: boolean): Promise<void> {
  await db
    .updateTable('bulk_targets')
    .set(repeatable ? { state: 'planned' } : { state: 'unknown', reason: 'broken_off' })
    .where('run', '=', run)
    .where('state', '=', 'begun')
    .execute()
}

/** How many are in each state; `begun` and `planned` are still to be done. */
export async function countTargets(db: Db, run: string): Promise<Record<BulkState, number>> {
  const rows = await db
    .selectFrom('bulk_targets')
    .select(['state', (row) => row.fn.countAll<number>().as('count')])
    .where('run', '=', run)
    .groupBy('state')
    .execute()
  const counts = { planned: 0, begun: 0, done: 0, failed: 0, unknown: 0, gone: 0, merged: 0 }
  for (const { state, count } of rows) counts[state] = Number(count)
  return counts
}
