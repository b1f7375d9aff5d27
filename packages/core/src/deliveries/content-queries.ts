import { notFound, userError } from '@huitou/plugin-api'
import { v7 as uuid } from 'uuid'
import { type CheckedContent, checkContent } from '../content/check-content.ts'
import { closestLocale } from '../content/here.ts'
import { measureText, type TextMeasure } from '../content/measure.ts'
import { getTemplate } from '../content/templates.ts'
import type { CoreContext } from '../context.ts'
import { type Db, transact } from '../db/database.ts'
import { findAddress, type Person, readPeople } from '../journeys/people.ts'
import { TEMPLATE_KEY } from '../journeys/outbox.ts'
import { maskValue } from '../people/masking.ts'
import type { Text } from '../points/points.ts'
import { readColumns } from '../profiles/columns.ts'
import { findAccount } from './accounts.ts'
import { MessageWriter } from './message-writer.ts'
import { type DeliveryContext, openSettings } from './worker-context.ts'

type Context = Pick<CoreContext, 'database' | 'clock' | 'points' | 'brand'>

/** A content that somebody is writing: the fields themselves, a template, or a template with other words in places. */
export interface Draft {
  channel: string
  content?: Record<string, unknown> | undefined
  template?: string | undefined
}

export interface Variable {
  path: string
  title: Text
  type: string
  pii: boolean
  example: string | number | null
  group: 'customer' | 'event' | 'brand'
}

/** What may stand in a text, each with what it looks like for somebody; personal data masked. */
export async function listVariables(
  { database, points }: Context,
  { journeyId, event }: { journeyId?: string | undefined; event?: string | undefined },
): Promise<Variable[]> {
  const name = event ?? (journeyId ? await triggerOf(database.db, journeyId) : undefined)
  const examples = await database.db
    .selectFrom('profiles')
    .selectAll()
    .orderBy('last_seen_at', 'desc')
    .limit(20)
    .$castTo<Record<string, string | number | null>>()
    .execute()
  const columns = (await readColumns(database.db)).filter(({ name: column }) => column !== 'key')
  return [
    ...columns.map(({ name: column, logical, title, type, pii }): Variable => {
      const value = examples.map((row) => row[column]).find((each) => each !== null && each !== '') ?? null
      return {
        path: `customer.${column}`,
        title,
        type,
        pii,
        example: maskValue(value, { pii, logical }),
        group: 'customer',
      }
    }),
    ...(name === undefined ? [] : await eventVariables({ database, points }, name)),
    brandVariable('brand.name', { en: 'Brand name', 'zh-CN': '品牌名称' }),
    brandVariable('unsubscribe_url', { en: 'Unsubscribe page', 'zh-CN': '退订页面' }),
  ]
}

function brandVariable(path: string, title: Text): Variable {
  return { path, title, type: 'text', pii: false, example: null, group: 'brand' }
}

async function triggerOf(db: Db, journeyId: string): Promise<string | undefined> {
  const row = await db.selectFrom('journeys').select('draft').where('id', '=', journeyId).executeTakeFirst()
  if (!row) throw notFound('Journey', journeyId)
  const { trigger } = JSON.parse(row.draft) as { trigger?: { type: string; event?: string } }
  return trigger?.event
}

async function eventVariables(
  { database, points }: Pick<Context, 'database' | 'points'>,
  name: string,
): Promise<Variable[]> {
  const properties = (await lastEvent(database.db, name)) ?? {}
  const declared = (points.eventTypes.list().find(({ value }) => value.name === name)?.value.schema?.[
    'properties'
  ] ?? {}) as Record<string, { title?: unknown; type?: unknown; pii?: unknown }>
  const names = new Set([...Object.keys(declared), ...Object.keys(properties)])
  return [...names].map((property) => {
    const { title, type, pii } = declared[property] ?? {}
    const value = properties[property]
    const isSimple = typeof value === 'string' || typeof value === 'number'
    const isPersonal = pii === true || /phone|mobile|e-?mail|address|name$/i.test(property)
    return {
      path: `event.${property}`,
      title: isText(title) ? title : { en: property, 'zh-CN': property },
      type: typeof type === 'string' ? type : 'text',
      pii: isPersonal,
      example: isSimple && !isPersonal ? value : null,
      group: 'event',
    }
  })
}

function isText(title: unknown): title is Text {
  return typeof title === 'object' && title !== null && 'en' in title && 'zh-CN' in title
}

async function lastEvent(
  db: Db,
  name: string,
  customer?: number,
): Promise<Record<string, unknown> | undefined> {
  const row = await db
    .selectFrom('timeline')
    .innerJoin('events', 'events.seq', 'timeline.seq')
    .where('timeline.name', '=', name)
    .$if(customer !== undefined, (query) => query.where('timeline.customer_id', '=', customer as number))
    .select('events.body')
    .orderBy('timeline.ts', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!row) return undefined
  return (JSON.parse(row.body) as { properties?: Record<string, unknown> }).properties ?? {}
}

/** What is wrong with a content whoever it goes to. Without `events` it may name those of any event. */
export async function checkDraft(
  { database, points }: Context,
  { channel, content = {}, events }: Draft & { events?: readonly string[] | undefined },
): Promise<CheckedContent> {
  const columns = new Set((await readColumns(database.db)).map(({ name }) => name))
  return checkContent(content, {
    schema: points.channels.find(channel)?.value.content,
    known: { hasColumn: (name) => columns.has(name), hasEvent: events === undefined || events.length > 0 },
  })
}

export interface Preview {
  content: Record<string, unknown> | null
  problems: { message: string; missing: string[] }[]
  locale: string | null
  customer: { id: number; name: string | null } | null
  measure?: TextMeasure
}

export interface PreviewInput extends Draft {
  account?: string | undefined
  customerId?: number | undefined
  locale?: string | undefined
  event?: string | undefined
}

/** The message as one customer would read it, personal data masked; the latest customer where none is named. */
export async function previewDraft(context: DeliveryContext, input: PreviewInput): Promise<Preview> {
  const { database, points } = context
  const person = await findReader(database.db, input.customerId)
  const columns = await readColumns(database.db)
  const masked = Object.fromEntries(
    columns.map(({ name, pii, logical }) => [
      name,
      maskValue(person?.profile?.[name] ?? null, { pii, logical }),
    ]),
  )
  const written = await writeDraft(context, input, person && { ...person, profile: masked })
  const customer = person && { id: person.id, name: String(person.profile?.['t_name'] ?? '') || null }
  if ('problem' in written)
    return {
      content: null,
      problems: [{ message: written.problem, missing: written.missing }],
      locale: null,
      customer: customer ?? null,
    }
  const channel = points.channels.find(input.channel)?.value
  const text = written.shown['text']
  const isSms = channel?.address === 'phone' && typeof text === 'string'
  const phone = person && findAddress(person, 'phone')
  return {
    content: written.shown,
    problems: [],
    locale: written.locale,
    customer: customer ?? null,
    ...(isSms
      ? {
          measure: measureText(text, {
            abroad: phone !== undefined && isAbroad(phone),
            signature: await signatureOf(context, input),
          }),
        }
      : {}),
  }
}

/** What the account that is used puts in front of every text; nothing while there is none. */
async function signatureOf(
  { database, box }: DeliveryContext,
  { channel, account }: PreviewInput,
): Promise<string> {
  const row = await database.db
    .selectFrom('channel_accounts')
    .select('settings')
    .where('channel', '=', channel)
    .$if(Boolean(account), (query) => query.where('id', '=', account!))
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  const signature = row ? openSettings(box, row.settings)['signature'] : undefined
  return typeof signature === 'string' ? signature.replaceAll(/^【|】$/g, '').trim() : ''
}

function isAbroad(phone: string): boolean {
  return phone.startsWith('+') && !phone.startsWith('+86')
}

async function findReader(db: Db, customerId: number | undefined): Promise<Person | undefined> {
  const id =
    customerId ??
    (
      await db
        .selectFrom('profiles')
        .select('customer_id')
        .orderBy('last_seen_at', 'desc')
        .limit(1)
        .executeTakeFirst()
    )?.customer_id
  if (id === undefined) return undefined
  const person = (await readPeople(db, [id])).get(id)
  if (!person && customerId !== undefined) throw notFound('Customer', customerId)
  return person
}

async function writeDraft(context: DeliveryContext, input: PreviewInput, person: Person | undefined) {
  const { database, points, clock, brand, box } = context
  const content = {
    ...(input.template === undefined ? {} : { [TEMPLATE_KEY]: input.template }),
    ...input.content,
  }
  const writer = await MessageWriter.open(
    database.db,
    {
      brand: await brand(),
      now: clock.now(),
      box,
      schema: points.channels.find(input.channel)?.value.content,
    },
    [content],
  )
  const event =
    input.event === undefined
      ? undefined
      : ((person && (await lastEvent(database.db, input.event, person.id))) ??
        (await lastEvent(database.db, input.event)))
  return writer.write({
    content,
    profile: person?.profile,
    ...(event ? { given: { event } } : {}),
    ...(input.locale === undefined ? {} : { locale: await closest(database.db, input) }),
  })
}

/** The language asked for, as the template spells it. */
async function closest(db: Db, { template, locale = '' }: PreviewInput): Promise<string> {
  if (template === undefined) return locale
  return closestLocale(locale, (await getTemplate(db, template)).locales) ?? locale
}

export interface TestSend extends PreviewInput {
  address?: string | undefined
}

/**
 * Sends one message at once and past all guards, to see it where it will be read: to the given address, or to that of
 * the customer it is written for.
 */
export async function sendTest(
  context: DeliveryContext,
  input: TestSend,
): Promise<{ outcome: string; message: string | null }> {
  const { database, points, clock, box } = context
  const channel = points.channels.find(input.channel)
  if (!channel) throw notFound('Channel', input.channel)
  const person = await findReader(database.db, input.customerId)
  const address = input.address ?? (person && findAddress(person, channel.value.address))
  if (address === undefined)
    throw userError('E_TEST_ADDRESS', `The customer has no ${channel.value.address} to send to`, {
      hint: 'Name an address to send the test to, or choose another customer.',
    })
  const written = await writeDraft(context, input, person)
  if ('problem' in written)
    throw userError('E_CONTENT', `The message cannot be written: ${written.problem}`, {
      hint: 'Give the variables a default, or choose a customer who has them.',
      details: { missing: written.missing },
    })
  const now = clock.now()
  const account = await transact(database.db, (tx) =>
    findAccount(tx, input.channel, input.account ?? '', now),
  )
  if (!account) throw notFound('Account', input.account ?? '')
  const key = `test:${uuid()}`
  const [result] = await channel.value.run.send(
    {
      settings: openSettings(box, account.settings),
      deliveries: [
        {
          key,
          customerId: person?.id ?? 0,
          address,
          content: written.content,
          locale: written.locale,
        },
      ],
    },
    { now, signal: AbortSignal.timeout(30_000) },
  )
  const message = result && 'message' in result ? (result.message ?? null) : null
  return { outcome: result?.outcome ?? 'unknown', message }
}
