import { AppError } from '@huitou/plugin-api'
import { type SqlBool, type RawBuilder, sql } from 'kysely'
import { z } from 'zod'
import type { Db, Tx } from '../db/database.ts'
import { idRows } from '../db/rows.ts'
import { compileNodes, fromProfiles, readScope, type RuleScope } from '../segments/compile.ts'
import { type Rule, ruleSchema } from '../segments/rule.ts'
import type { Brand } from '../settings/brand.ts'

const channelId = z.string().min(1).max(200)

/** Which of a message's channels comes first, and for whom. */
export const channelChoiceSchema = z.strictObject({
  /** The first rule that fits a customer, and names a channel the message has, decides. */
  rules: z
    .array(
      z.strictObject({
        /** What the log calls it; the rule's own words if empty. */
        name: z.string().max(80),
        rule: ruleSchema,
        /** In this order; a message's other channels come behind, as planned. */
        channels: z.array(channelId).min(1).max(20),
      }),
    )
    .max(20),
  /** For everybody else the channel that the customer answers best, out of those with enough messages to say so. */
  best: z.strictObject({ atLeast: z.int().min(1).max(1_000) }).nullable(),
})

type ChannelChoice = z.infer<typeof channelChoiceSchema>

/** Why a channel comes first. */
export type ChoiceReason =
  | { by: 'rule'; name: string; rule: Rule }
  /** Share of `sent` messages that were opened, followed or replied to. */
  | { by: 'best'; rate: number; sent: number }

interface Answering {
  channel: string
  rate: number
  sent: number
}

/** What is known of one customer. */
export interface CustomerChoice {
  /** Rules that fit, in order. */
  rules: ChannelChoice['rules']
  /** Channels with enough messages that were answered at all, the best first. */
  answering: Answering[]
}

interface World {
  brand: Brand
  now: number
}

/**
 * What the policy says of each of these customers: one query for all rules, one for all answers. A rule that names what
 * is gone fits nobody.
 */
export async function readChoices(
  db: Db | Tx,
  choice: ChannelChoice,
  { brand, now, customers }: World & { customers: readonly number[] },
): Promise<Map<number, CustomerChoice>> {
  const found = new Map<number, CustomerChoice>(customers.map((id) => [id, { rules: [], answering: [] }]))
  if (customers.length === 0) return found
  const readable = choice.rules.length === 0 ? [] : readableRules(choice, await readScope(db, brand, { now }))
  if (readable.length > 0) {
    const rows: Record<string, unknown>[] = await db
      .selectFrom(idRows(db, customers))
      .innerJoin('profiles', 'profiles.customer_id', 'r.id')
      .select('r.id')
      .select(readable.map(({ fits }, at) => sql`case when ${fits} then 1 else 0 end`.as(`fits_${at}`)))
      .execute()
    for (const row of rows)
      found.get(Number(row['id']))!.rules = readable
        .filter((_, at) => row[`fits_${at}`] === 1)
        .map(({ rule }) => rule)
  }
  if (choice.best) {
    for (const { id, ...answering } of await readAnswering(db, customers, choice.best.atLeast))
      found.get(id)!.answering.push(answering)
    for (const { answering } of found.values()) answering.sort((a, b) => b.rate - a.rate || b.sent - a.sent)
  }
  return found
}

/** The order in which a message's routes are tried, and why; undefined when it stays as planned. */
export function orderRoutes<T extends { channel: string }>(
  routes: readonly T[],
  { rules, answering }: CustomerChoice,
): { routes: T[]; reason: ChoiceReason } | undefined {
  const has = (channel: string) => routes.some((route) => route.channel === channel)
  const rule = rules.find(({ channels }) => channels.some(has))
  if (rule) {
    const reason = { by: 'rule' as const, name: rule.name, rule: rule.rule }
    return { routes: inOrder(routes, rule.channels), reason }
  }
  const known = answering.filter(({ channel }) => has(channel))
  const [best] = known
  if (!best) return undefined
  const order = known.map(({ channel }) => channel)
  return { routes: inOrder(routes, order), reason: { by: 'best', rate: best.rate, sent: best.sent } }
}

function inOrder<T extends { channel: string }>(routes: readonly T[], channels: readonly string[]): T[] {
  const placeOf = ({ channel }: T) => {
    const place = channels.indexOf(channel)
    return place === -1 ? channels.length : place
  }
  return routes.toSorted((a, b) => placeOf(a) - placeOf(b))
}

/** Customers for whom each rule is the first that fits; null for one that names what is gone. */
export async function countChoices(
  db: Db,
  choice: ChannelChoice,
  { brand, now }: World,
): Promise<(number | null)[]> {
  if (choice.rules.length === 0) return []
  const scope = await readScope(db, brand, { now })
  const readable = readableRules(choice, scope)
  if (readable.length === 0) return choice.rules.map(() => null)
  const { conditions, joins } = compileNodes(
    readable.map(({ rule }) => rule.rule),
    scope,
    'all',
  )
  const first = sql<number>`case ${sql.join(
    conditions.map((condition, at) => sql`when ${condition} then ${sql.lit(at)}`),
    sql` `,
  )} end`
  const rows = await db
    .selectFrom(fromProfiles(db, joins).select(first.as('first')).as('s'))
    .select(['s.first', sql<number>`count(*)`.as('count')])
    .groupBy('s.first')
    .execute()
  return choice.rules.map((rule) => {
    const at = readable.findIndex((one) => one.rule === rule)
    return at === -1 ? null : Number(rows.find((row) => row.first === at)?.count ?? 0)
  })
}

interface ReadableRule {
  rule: ChannelChoice['rules'][number]
  fits: RawBuilder<SqlBool>
}

/** Rules whose columns, events and segments are all there. */
function readableRules({ rules }: ChannelChoice, scope: RuleScope): ReadableRule[] {
  return rules.flatMap((rule) => {
    try {
      return [{ rule, fits: compileNodes([rule.rule], scope, 'few').conditions[0]! }]
    } catch (error) {
      if (error instanceof AppError) return []
      throw error
    }
  })
}

async function readAnswering(
  db: Db | Tx,
  customers: readonly number[],
  atLeast: number,
): Promise<(Answering & { id: number })[]> {
  const rows = await db
    .selectFrom(idRows(db, customers))
    .crossJoin('identifiers')
    .crossJoin('contact_channels')
    .whereRef('identifiers.customer_id', '=', 'r.id')
    .whereRef('contact_channels.customer_id', '=', 'identifiers.id')
    .select(['r.id', 'contact_channels.channel', ({ fn }) => fn.sum<number>('sent').as('sent')])
    .select(({ fn }) => [
      fn.sum<number>('opened').as('opened'),
      fn.sum<number>('clicked').as('clicked'),
      fn.sum<number>('replied').as('replied'),
    ])
    .groupBy(['r.id', 'contact_channels.channel'])
    .execute()
  return rows
    .map(({ id, channel, sent, opened, clicked, replied }) => {
      // One message may be opened, followed and replied to: it was answered once.
      const answered = Math.max(Number(opened), Number(clicked), Number(replied))
      return { id, channel, sent: Number(sent), rate: Math.min(1, answered / Math.max(1, Number(sent))) }
    })
    .filter(({ sent, rate }) => sent >= atLeast && rate > 0)
}
