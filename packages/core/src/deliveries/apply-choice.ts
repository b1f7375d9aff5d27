import type { Selectable } from 'kysely'
import type { Tx } from '../db/database.ts'
import { insertRows, updateRows } from '../db/insert-rows.ts'
import type { Route } from '../journeys/outbox.ts'
import type { Person } from '../journeys/people.ts'
import type { Points } from '../points/points.ts'
import type { Brand } from '../settings/brand.ts'
import { type ChoiceReason, orderRoutes, readChoices } from './channel-choice.ts'
import type { ContactPolicy } from './policy.ts'
import type { DeliveryRow } from './tables.ts'

type Row = Selectable<DeliveryRow>

/** What was decided about a message's channels, as it is stored with the delivery. */
export type StoredChoice = {
  /** Channel that came first. */
  channel: string
  /** Channels as they had been planned. */
  planned: string[]
} & (ChoiceReason | { by: 'planned' })

interface Choosing {
  policy: ContactPolicy
  people: ReadonlyMap<number, Person>
  points: Pick<Points, 'channels'>
  brand: Brand
  now: number
}

/**
 * Decides once for each message with several channels which of them comes first, and returns those that stay where
 * they are; the others are planned on their new channel. A channel that cannot be used now is never moved to.
 */
export async function chooseChannels(tx: Tx, rows: readonly Row[], choosing: Choosing): Promise<Row[]> {
  const { policy, people, brand, now } = choosing
  const choice = policy.choice
  if (!choice || (choice.rules.length === 0 && !choice.best)) return [...rows]
  const open = rows.filter(
    ({ choice: known, alternatives, purpose, customer_id }) =>
      known === null && alternatives !== '[]' && purpose !== 'test' && people.has(customer_id),
  )
  if (open.length === 0) return [...rows]
  const customers = [...new Set(open.map(({ customer_id }) => people.get(customer_id)!.id))]
  const choices = await readChoices(tx, choice, { brand, now, customers })
  const isUsable = await readUsable(tx, choosing.points)
  const chosen = new Map(
    open.map((row) => {
      const planned = routesOf(row)
      const usable = planned.filter(isUsable)
      const ordered = orderRoutes(usable, choices.get(people.get(row.customer_id)!.id)!)
      const rest = planned.filter((route) => !usable.includes(route))
      const [first, ...others] = ordered ? [...ordered.routes, ...rest] : planned
      const stored: StoredChoice = {
        channel: first!.channel,
        planned: planned.map(({ channel }) => channel),
        ...(ordered?.reason ?? { by: 'planned' }),
      }
      return [
        row.id,
        { ...row, ...toColumns(first!, others), choice: JSON.stringify(stored), updated_at: now },
      ]
    }),
  )
  await write(tx, [...chosen.values()], now)
  return rows.flatMap((row) => {
    const settled = chosen.get(row.id) ?? row
    return settled.channel === row.channel && settled.account === row.account ? [settled] : []
  })
}

function routesOf({ channel, account, content, alternatives }: Row): Route[] {
  return [
    { channel, account, content: JSON.parse(content) as Record<string, unknown> },
    ...(JSON.parse(alternatives) as Route[]),
  ]
}

function toColumns({ channel, account, content }: Route, others: readonly Route[]) {
  return { channel, account, content: JSON.stringify(content), alternatives: JSON.stringify(others) }
}

/** Whether a route's channel is there and its account switched on. */
async function readUsable(
  tx: Tx,
  { channels }: Pick<Points, 'channels'>,
): Promise<(route: Route) => boolean> {
  const accounts = await tx
    .selectFrom('channel_accounts')
    .select(['id', 'channel', 'active'])
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return ({ channel, account }) => {
    if (!channels.find(channel)) return false
    const own = accounts.filter((one) => one.channel === channel)
    // The first account is made when a message needs it.
    if (account === '') return own[0]?.active !== 0
    return own.some(({ id, active }) => id === account && active === 1)
  }
}

async function write(tx: Tx, rows: readonly Row[], now: number): Promise<void> {
  await updateRows(tx, 'deliveries', {
    rows: rows.map(({ id, channel, account, content, alternatives, choice, updated_at }) => ({
      id,
      channel,
      account,
      content,
      alternatives,
      choice,
      updated_at,
    })),
    columns: {
      id: 'integer',
      channel: 'text',
      account: 'text',
      content: 'json',
      alternatives: 'json',
      choice: 'text',
      updated_at: 'integer',
    },
    key: 'id',
  })
  await insertRows(tx, 'delivery_events', {
    rows: rows.flatMap(({ id, choice }) => {
      const { by } = JSON.parse(choice!) as StoredChoice
      return by === 'planned' ? [] : [{ delivery_id: id, at: now, kind: 'chosen', details: choice }]
    }),
    columns: { delivery_id: 'integer', at: 'integer', kind: 'text', details: 'text' },
  })
}
