import { type EventTypeContribution, notFound, userError } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { sql } from 'kysely'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import { type PointOwner, type Text, ownerTitles } from '../points/points.ts'
import { isSealed, readColumns } from './columns.ts'
import { EventCounts } from './event-counts.ts'
import { currentCustomerId, getCustomer, readTimeline } from './queries.ts'

const Id = z.object({ id: z.coerce.number().int().positive() })
const Page = z.object({
  before: z.string().max(40).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  names: z
    .string()
    .max(500)
    .optional()
    .transform((names) => names?.split(',').filter(Boolean)),
})
const Reveal = z.union([
  z.object({ column: z.string().max(64) }),
  z.object({ identifier: z.number().int() }),
  z.object({ event: z.number().int() }),
])

/** One customer, mounted at `/api/customers`. */
export function customerRoutes({ database, clock }: Pick<CoreContext, 'database' | 'clock'>) {
  const { db } = database
  return new Hono<SignedIn>()
    .get(
      '/:id{[0-9]+}',
      describeRoute({ tags: ['customers'], summary: 'A customer, personal data masked' }),
      validate('param', Id),
      async (c) => c.json(await getCustomer(db, c.req.valid('param').id)),
    )
    .get(
      '/:id{[0-9]+}/timeline',
      describeRoute({ tags: ['customers'], summary: 'What happened, newest first' }),
      validate('param', Id),
      validate('query', Page),
      async (c) => {
        const customer = await currentCustomerId(db, c.req.valid('param').id)
        return c.json(await readTimeline(db, customer, c.req.valid('query')))
      },
    )
    .post(
      '/:id{[0-9]+}/reveal',
      describeRoute({
        tags: ['customers'],
        summary: 'One masked value in clear; every look is written down',
      }),
      validate('param', Id),
      validate('json', Reveal),
      async (c) => {
        const customer = await currentCustomerId(db, c.req.valid('param').id)
        const wanted = c.req.valid('json')
        const value =
          'column' in wanted
            ? await columnValue(database, customer, wanted.column)
            : 'identifier' in wanted
              ? await identifierValue(database, customer, wanted.identifier)
              : await eventProperties(database, customer, wanted.event)
        const subject =
          'column' in wanted
            ? wanted.column
            : 'identifier' in wanted
              ? `identifier ${wanted.identifier}`
              : `event ${wanted.event}`
        await audit(db, clock, {
          userId: c.get('user').id,
          action: 'customer.reveal',
          subject: String(customer),
          details: { what: subject },
        })
        return c.json({ value })
      },
    )
}

/** The registry of profile columns and event types, mounted at `/api/columns`. */
export function columnRoutes({ database, points }: Pick<CoreContext, 'database' | 'points'>) {
  const { db, analytics } = database
  const counts = new EventCounts(analytics)
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({
        tags: ['columns'],
        summary: 'Columns of profiles, kinds of events, and whose they are',
      }),
      async (c) => {
        const countOf = await counts.read()
        const declared = points.eventTypes.list()
        const known = new Set(declared.map(({ value }) => value.name))
        const events = [
          ...declared.map(({ owner, value }) => ({
            name: value.name,
            title: owner.text(value.title),
            icon: value.icon ?? null,
            owner: owner.plugin,
            count: countOf.get(value.name) ?? 0,
            money: value.valueType === 'money',
            properties: propertiesOf(value, owner),
          })),
          ...[...countOf]
            .filter(([name]) => !known.has(name))
            .map(([name, count]) => ({
              name,
              title: { en: name, 'zh-CN': name },
              icon: null,
              owner: 'core',
              count,
              money: false,
              properties: [],
            })),
        ]
        // Of what is sealed the database can be asked whole values only.
        const columns = (await readColumns(db)).map((column) => ({
          ...column,
          sealed: database.vault.isOpen && isSealed(column),
        }))
        return c.json({ columns, events, owners: ownerTitles(points) })
      },
    )
    .get(
      '/:name/values',
      describeRoute({ tags: ['columns'], summary: 'Most frequent values of a column' }),
      validate('query', z.object({ search: z.string().max(100).default('') })),
      async (c) => {
        const column = (await readColumns(db)).find(({ name }) => name === c.req.param('name'))
        if (!column) throw notFound('Column', c.req.param('name'))
        if (column.pii)
          throw userError('E_PERSONAL_DATA', `Values of "${column.name}" are personal data and not listed`, {
            status: 403,
          })
        const ref = sql.ref(column.name)
        const { search } = c.req.valid('query')
        const pattern = `%${search.toLowerCase().replaceAll(/[\\%_]/g, (found) => `\\${found}`)}%`
        const rows = await sql<{
          value: string | number
          count: number
        }>`select ${ref} as value, count(*) as count from profiles
          where ${ref} is not null and lower(cast(${ref} as text)) like ${pattern} escape '\\' group by ${ref} order by count(*) desc, ${ref} limit 50`.execute(
          analytics,
        )
        return c.json({ values: rows.rows })
      },
    )
}

async function columnValue(
  { db }: CoreContext['database'],
  customer: number,
  name: string,
): Promise<string | number | null> {
  const column = (await readColumns(db)).find((known) => known.name === name)
  if (!column) throw notFound('Column', name)
  const row = await sql<{
    value: string | number | null
  }>`select ${sql.ref(column.name)} as value from profiles where customer_id = ${customer}`.execute(db)
  return row.rows[0]?.value ?? null
}

async function identifierValue(
  { db }: CoreContext['database'],
  customer: number,
  id: number,
): Promise<string> {
  const row = await db
    .selectFrom('identifiers')
    .select('value')
    .where('id', '=', id)
    .where('customer_id', '=', customer)
    .executeTakeFirst()
  if (!row) throw notFound('Identifier', id)
  return row.value
}

/** An event's properties in clear, as JSON. */
async function eventProperties(
  { db }: CoreContext['database'],
  customer: number,
  seq: number,
): Promise<string> {
  const row = await db
    .selectFrom('timeline')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .select('events.body')
    .where('timeline.seq', '=', seq)
    .where('timeline.customer_id', '=', customer)
    .executeTakeFirst()
  if (!row) throw notFound('Event', seq)
  return JSON.stringify((JSON.parse(row.body) as { properties?: object }).properties ?? {})
}

/** A property that a plugin declares of an event. */
interface EventProperty {
  name: string
  title: Text
}

/** Properties of an event by their titles; one without a title goes by its name. */
function propertiesOf({ schema }: EventTypeContribution, owner: PointOwner): EventProperty[] {
  const properties = (schema?.['properties'] ?? {}) as Record<string, { title?: string | Text }>
  return Object.entries(properties).map(([name, { title = name }]) => ({ name, title: owner.text(title) }))
}
