import { notFound, userError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import type { Db, Tx } from '../db/database.ts'
import { readPeople } from '../journeys/people.ts'
import { optedOut } from '../people/opted-out.ts'
import { findSetting, writeSetting } from '../settings/brand.ts'
import type { RequestTables } from './request-tables.ts'
import { readWorkingDays } from './working-days.ts'

/** What a customer may ask of whoever holds their data. */
export const REQUEST_KINDS = ['access', 'correction', 'erasure', 'stop_profiling', 'export'] as const
export type RequestKind = (typeof REQUEST_KINDS)[number]

/** How they asked. */
export const REQUEST_WAYS = ['phone', 'email', 'chat', 'letter', 'visit', 'form', 'other'] as const

const SETTING = 'privacyDeadlines'
const Days = z.int().min(1).max(90)
export const Deadlines = z.object({
  /** Working days to answer in, by what is asked. */
  workingDays: z.record(z.enum(REQUEST_KINDS), Days),
  /** Working days before that from which on somebody is reminded. */
  remindBefore: z.int().min(0).max(30),
})
export type Deadlines = z.infer<typeof Deadlines>

/** What practice in China has made of "in good time" in the law. */
const USUAL: Deadlines = {
  workingDays: { access: 15, correction: 15, erasure: 15, stop_profiling: 15, export: 15 },
  remindBefore: 3,
}

type Row = RequestTables['privacy_requests']
type Context = Pick<CoreContext, 'database' | 'clock'>

export interface NewRequest {
  customerId: number
  kind: RequestKind
  way: (typeof REQUEST_WAYS)[number]
  /** Whoever asked, and how it was made sure that they may. */
  askedBy: string
  note: string
  /** When they asked; now if absent. */
  askedAt?: number | undefined
}

export async function readDeadlines(db: Db | Tx): Promise<Deadlines> {
  const parsed = Deadlines.safeParse(await findSetting(db, SETTING))
  return parsed.success ? parsed.data : USUAL
}

/** Requests that are open keep the day that they were told. */
export async function writeDeadlines(db: Db, deadlines: Deadlines): Promise<void> {
  await writeSetting(db, SETTING, deadlines)
}

/** Writes a request down; it is due by the end of a working day of the brand. */
export async function openRequest(
  { database: { db }, clock }: Context,
  request: NewRequest,
  by: string,
): Promise<{ id: string; dueAt: number }> {
  const now = clock.now()
  const askedAt = request.askedAt ?? now
  if (askedAt > now)
    throw userError('E_REQUEST_FUTURE', 'A request cannot have been made later than now', {
      status: 422,
      hint: 'Say when the customer asked.',
    })
  const deadlines = await readDeadlines(db)
  const days = await readWorkingDays(db)
  const dueAt = days.after(askedAt, deadlines.workingDays[request.kind])
  const row = {
    id: uuid(),
    customer_id: request.customerId,
    kind: request.kind,
    state: 'open' as const,
    way: request.way,
    asked_by: request.askedBy,
    note: request.note,
    asked_at: askedAt,
    due_at: dueAt,
    remind_at: days.before(dueAt, deadlines.remindBefore),
    created_by: by,
    created_at: now,
    handler: null,
    answer: null,
    finished_at: null,
    result: null,
  }
  await db.insertInto('privacy_requests').values(row).execute()
  return { id: row.id, dueAt }
}

/** Somebody takes a request on, or takes it over. */
export async function takeRequest(
  { database: { db } }: Context,
  id: string,
  by: string,
): Promise<{ kind: RequestKind }> {
  const taken = await db
    .updateTable('privacy_requests')
    .set({ state: 'working', handler: by })
    .where('id', '=', id)
    .where('state', 'in', ['open', 'working'])
    .returning('kind')
    .executeTakeFirst()
  if (!taken) throw await whyClosed(db, id)
  return taken
}

/**
 * Closes a request with what the customer was answered, and links it with what was done. What it asked for has to
 * have been done: nobody closes an erasure while the data is there.
 */
export async function finishRequest(
  { database: { db }, clock }: Context,
  { id, state, answer }: { id: string; state: 'done' | 'refused'; answer: string },
  by: string,
): Promise<{ kind: RequestKind; customerId: number | null }> {
  const row = await db.selectFrom('privacy_requests').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row || (row.state !== 'open' && row.state !== 'working')) throw await whyClosed(db, id)
  const result = row.result ?? (state === 'done' ? await findResult(db, row) : null)
  if (state === 'done' && result === null && (row.kind === 'erasure' || row.kind === 'stop_profiling'))
    throw userError('E_REQUEST_NOT_DONE', `What request ${id} asks for has not been done`, {
      status: 409,
      hint: 'Do it on the page of the customer first, or refuse with a reason.',
    })
  const finished = await db
    .updateTable('privacy_requests')
    .set({ state, answer, handler: by, finished_at: clock.now(), result })
    .where('id', '=', id)
    .where('state', 'in', ['open', 'working'])
    .returning('id')
    .executeTakeFirst()
  if (!finished) throw await whyClosed(db, id)
  return { kind: row.kind, customerId: row.customer_id }
}

/** What was done since the customer asked, as `what:id`. */
async function findResult(db: Db, { kind, customer_id, asked_at }: Row): Promise<string | null> {
  if (customer_id === null) return null
  if (kind === 'stop_profiling') {
    const { rows } = await sql<{ id: number }>`select i.customer_id as id from identifiers i
      where i.id = ${customer_id} and i.customer_id in ${optedOut()}`.execute(db)
    return rows[0] ? `consent:${rows[0].id}` : null
  }
  if (kind !== 'access' && kind !== 'export') return null
  const ids = [...(await readPeople(db, [customer_id])).values()].flatMap(({ id, identifiers }) => [
    id,
    ...identifiers.map((identifier) => identifier.id),
  ])
  const made = await db
    .selectFrom('exports')
    .select('id')
    .where('what', '=', 'customer')
    .where('subject', 'in', [String(customer_id), ...ids.map(String)])
    .where('at', '>=', asked_at)
    .orderBy('id', 'desc')
    .executeTakeFirst()
  return made ? `export:${made.id}` : null
}

/**
 * Ends the requests of somebody who is being erased: what they asked for in words goes with them, that they asked and
 * by when stays, and a wish to be erased has been met.
 */
export async function detachRequests(
  tx: Tx,
  ids: readonly number[],
  { erasureId, by, now }: { erasureId: string; by: string; now: number },
): Promise<void> {
  const rows = await tx
    .selectFrom('privacy_requests')
    .select(['id', 'kind', 'state', 'result'])
    .where('customer_id', 'in', [...ids])
    .execute()
  for (const { id, kind, state, result } of rows) {
    const isMet = kind === 'erasure' && (state === 'open' || state === 'working')
    await tx
      .updateTable('privacy_requests')
      .set({
        customer_id: null,
        asked_by: '',
        note: '',
        answer: null,
        result: result ?? `erasure:${erasureId}`,
        erasure_id: erasureId,
        ...(isMet ? { state: 'done' as const, handler: by, finished_at: now } : {}),
      })
      .where('id', '=', id)
      .execute()
  }
}

export async function findRequestsOf(db: Db, customerId: number): Promise<Row[]> {
  const person = (await readPeople(db, [customerId])).get(customerId)
  const ids = [customerId, ...(person?.identifiers ?? []).map(({ id }) => id)]
  return await db
    .selectFrom('privacy_requests')
    .selectAll()
    .where('customer_id', 'in', ids)
    .orderBy('asked_at', 'desc')
    .execute()
}

/** Requests by when they are due; closed ones the latest first. */
export async function listRequests(
  db: Db,
  { open, limit, skip }: { open: boolean; limit: number; skip: number },
): Promise<Row[]> {
  const rows = db
    .selectFrom('privacy_requests')
    .selectAll()
    .where('state', 'in', open ? ['open', 'working'] : ['done', 'refused'])
  return await (open ? rows.orderBy('due_at') : rows.orderBy('finished_at', 'desc'))
    .orderBy('id')
    .limit(limit)
    .offset(skip)
    .execute()
}

async function whyClosed(db: Db, id: string) {
  const row = await db.selectFrom('privacy_requests').select('state').where('id', '=', id).executeTakeFirst()
  if (!row) return notFound('Request', id)
  return userError('E_REQUEST_CLOSED', `Request ${id} is closed already`, {
    status: 409,
    hint: 'Write a new request down if the customer asks again.',
  })
}
