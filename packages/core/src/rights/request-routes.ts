import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import { customerNames } from '../collections/record-names.ts'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import type { Db } from '../db/database.ts'
import { audit } from '../people/audit.ts'
import { readPeople } from '../journeys/people.ts'
import { authorNames } from '../people/author-names.ts'
import { getCustomer } from '../profiles/queries.ts'
import type { RequestTables } from './request-tables.ts'
import {
  Deadlines,
  findRequestsOf,
  finishRequest,
  listRequests,
  openRequest,
  readDeadlines,
  REQUEST_KINDS,
  REQUEST_WAYS,
  takeRequest,
  writeDeadlines,
} from './requests.ts'

const tags = ['privacy']
const One = z.object({ id: z.uuid() })
const Opened = z.object({
  customerId: z.int().positive(),
  kind: z.enum(REQUEST_KINDS),
  /** How the customer asked. */
  way: z.enum(REQUEST_WAYS),
  /** Whoever asked, and how it was made sure that they may. */
  askedBy: z.string().trim().min(1).max(200),
  note: z.string().trim().max(2_000).default(''),
  /** When they asked; now if absent. */
  askedAt: z.int().positive().optional(),
})
const Finished = z.object({
  state: z.enum(['done', 'refused']),
  /** What the customer was answered; of a refusal the reason. */
  answer: z.string().trim().min(1).max(2_000),
})
const Listed = z.object({
  state: z.enum(['open', 'closed']).default('open'),
  customerId: z.coerce.number().int().positive().optional(),
  skip: z.coerce.number().int().min(0).max(100_000).default(0),
})
const PAGE = 100

type Deps = Pick<CoreContext, 'database' | 'clock'>

/** What customers asked for, mounted at `/api/privacy/requests`. */
export function requestRoutes(deps: Deps) {
  return new Hono<SignedIn>().route('/', deadlineRoutes(deps)).route('/', answeringRoutes(deps))
}

function answeringRoutes(deps: Deps) {
  const { database, clock } = deps
  const { db } = database
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({ tags, summary: 'Requests of customers, by when they are due' }),
      validate('query', Listed),
      async (c) => {
        const { state, customerId, skip } = c.req.valid('query')
        const rows = customerId
          ? await findRequestsOf(db, customerId)
          : await listRequests(db, { open: state === 'open', limit: PAGE + 1, skip })
        return answerJson(c, {
          requests: await toViews(db, rows.slice(0, PAGE), clock.now()),
          more: rows.length > PAGE,
        })
      },
    )
    .post(
      '/',
      describeRoute({ tags, summary: 'Write down what a customer asks for' }),
      validate('json', Opened),
      async (c) => {
        const request = c.req.valid('json')
        const customer = await getCustomer(db, request.customerId)
        const opened = await openRequest(deps, { ...request, customerId: customer.id }, c.get('user').id)
        await audit(db, clock, {
          userId: c.get('user').id,
          action: 'privacy-request.open',
          subject: opened.id,
          details: { kind: request.kind, customer: customer.id },
        })
        return c.json(opened, 201)
      },
    )
    .post(
      '/:id/take',
      describeRoute({ tags, summary: 'Take a request on' }),
      validate('param', One),
      async (c) => {
        const { id } = c.req.valid('param')
        const { kind } = await takeRequest(deps, id, c.get('user').id)
        await audit(db, clock, {
          userId: c.get('user').id,
          action: 'privacy-request.take',
          subject: id,
          details: { kind },
        })
        return c.json({ taken: true })
      },
    )
    .post(
      '/:id/finish',
      describeRoute({ tags, summary: 'Close a request with what the customer was answered' }),
      validate('param', One),
      validate('json', Finished),
      async (c) => {
        const { id } = c.req.valid('param')
        const { state, answer } = c.req.valid('json')
        const { kind } = await finishRequest(deps, { id, state, answer }, c.get('user').id)
        await audit(db, clock, {
          userId: c.get('user').id,
          action: 'privacy-request.finish',
          subject: id,
          details: { kind, state },
        })
        return c.json({ finished: true })
      },
    )
}

function deadlineRoutes({ database: { db }, clock }: Deps) {
  return new Hono<SignedIn>()
    .get('/deadlines', describeRoute({ tags, summary: 'How long answers may take' }), async (c) =>
      c.json({ deadlines: await readDeadlines(db) }),
    )
    .put(
      '/deadlines',
      describeRoute({ tags, summary: 'Other times for answers, for requests from now on' }),
      validate('json', Deadlines),
      async (c) => {
        const deadlines = c.req.valid('json')
        await writeDeadlines(db, deadlines)
        await audit(db, clock, {
          userId: c.get('user').id,
          action: 'privacy-deadlines.change',
          subject: 'deadlines',
          details: deadlines,
        })
        return c.json({ deadlines })
      },
    )
}

type Row = RequestTables['privacy_requests']

/** Requests with the names of the people in them. */
async function toViews(db: Db, rows: readonly Row[], at: number) {
  const now = await readPeople(
    db,
    rows.flatMap(({ customer_id }) => (customer_id === null ? [] : [customer_id])),
  )
  const names = await customerNames(
    db,
    [...now.values()].map(({ id }) => id),
  )
  /** Whoever asked may have become part of another customer since. */
  const customerOf = (id: number | null) => {
    const person = id === null ? undefined : now.get(id)
    return person ? { id: person.id, name: names[person.id] ?? `#${person.id}` } : null
  }
  const people = await authorNames(
    db,
    rows.flatMap(({ created_by, handler }) => [created_by, handler].map((id) => `person:${id}`)),
  )
  const nameOf = (id: string | null) => (id === null ? null : (people[`person:${id}`] ?? id))
  return rows.map((row) => {
    const isOpen = row.state === 'open' || row.state === 'working'
    return {
      id: row.id,
      kind: row.kind,
      state: row.state,
      customer: customerOf(row.customer_id),
      way: row.way,
      askedBy: row.asked_by,
      note: row.note,
      askedAt: row.asked_at,
      dueAt: row.due_at,
      /** Whether somebody should hurry, or has not. */
      pressing: isOpen ? pressingAt(row, at) : null,
      /** Whether it was, or is, answered late. */
      late: (row.finished_at ?? at) > row.due_at,
      createdBy: nameOf(row.created_by),
      handler: nameOf(row.handler),
      answer: row.answer,
      finishedAt: row.finished_at,
      result: row.result,
      erasureId: row.erasure_id ?? null,
    }
  })
}

function pressingAt({ due_at, remind_at }: Row, at: number): 'overdue' | 'soon' | null {
  if (at > due_at) return 'overdue'
  return at >= remind_at ? 'soon' : null
}
