import { type JsonSchema, notFound, userError } from '@huitou/plugin-api'
import { type Selectable, sql } from 'kysely'
import { v7 as uuid } from 'uuid'
import type { CoreContext } from '../context.ts'
import { readCursor } from '../db/cursor.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import { compileSchema, problemsOf } from '../points/json-schema.ts'
import type { DeliveryTables } from './tables.ts'

export type AccountRow = Selectable<DeliveryTables['channel_accounts']>

export interface ChannelAccount {
  id: string
  channel: string
  name: string
  active: boolean
  /** Until when nothing is tried, after failures in a row. */
  openUntil: number | null
  lastError: string | null
  /** Calls in a row that came to nothing. */
  failures: number
  /** `closed`: used as usual. `open`: rests. `probe`: the next message shows whether it works again. */
  breaker: Breaker
  updatedAt: number
}

export type Breaker = 'closed' | 'probe' | 'open'

/** Account that deliveries use which name none: the channel's oldest, or one without settings made on the spot. */
export async function findAccount(tx: Tx, channel: string, account: string, now: number) {
  const query = tx.selectFrom('channel_accounts').selectAll().where('channel', '=', channel)
  const found = await (
    account === '' ? query.orderBy('created_at').orderBy('id').limit(1) : query.where('id', '=', account)
  ).executeTakeFirst()
  if (found || account !== '') return found
  const id = `default:${channel}`
  await tx
    .insertInto('channel_accounts')
    .values({ id, channel, name: 'default', settings: '', active: 1, created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  return await tx.selectFrom('channel_accounts').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

const FAILURES_ALLOWED = 3
const FIRST_REST = 30_000
const LONGEST_REST = 15 * 60_000

/** Whether the account may be used now; after a rest it is tried with a single message first. */
export function breakerOf({ failures, open_until }: AccountRow, now: number): Breaker {
  if (open_until === null || failures < FAILURES_ALLOWED) return 'closed'
  return now >= open_until ? 'probe' : 'open'
}

/** A whole batch came to nothing: after a few in a row the account rests, each time longer. */
export async function countFailure(tx: Tx, id: string, { now, error }: { now: number; error: string }) {
  const { failures } = await tx
    .updateTable('channel_accounts')
    .set((row) => ({ failures: row('failures', '+', 1), last_error: error.slice(0, 500), updated_at: now }))
    .where('id', '=', id)
    .returning('failures')
    .executeTakeFirstOrThrow()
  const rest = Math.min(FIRST_REST * 2 ** Math.max(0, failures - FAILURES_ALLOWED), LONGEST_REST)
  const wait = failures < FAILURES_ALLOWED ? 1_000 * 2 ** failures : rest
  await tx
    .updateTable('channel_accounts')
    .set({ open_until: now + wait })
    .where('id', '=', id)
    .execute()
  return now + wait
}

export async function countSuccess(tx: Tx, account: AccountRow): Promise<void> {
  if (account.failures === 0 && account.open_until === null) return
  await tx
    .updateTable('channel_accounts')
    .set({ failures: 0, open_until: null, last_error: null })
    .where('id', '=', account.id)
    .execute()
}

/**
 * Takes up to `wanted` messages from the provider's limit. The bucket is in the account's row, so that all nodes
 * draw from one. Returns how many may go now, and when the next may.
 */
export async function takeTokens(
  tx: Tx,
  account: AccountRow,
  { wanted, perSecond, now }: { wanted: number; perSecond: number | undefined; now: number },
): Promise<{ granted: number; nextAt: number }> {
  if (perSecond === undefined || wanted === 0) return { granted: wanted, nextAt: now }
  const burst = Math.max(1, perSecond)
  // A clock that was set back gives nothing and takes nothing.
  const passed = Math.max(0, now - (account.tokens_at ?? now))
  const tokens = Math.min(burst, (account.tokens ?? burst) + (passed * perSecond) / 1_000)
  const granted = Math.min(wanted, Math.floor(tokens + 1e-9))
  await tx
    .updateTable('channel_accounts')
    .set({ tokens: tokens - granted, tokens_at: now })
    .where('id', '=', account.id)
    .execute()
  account.tokens = tokens - granted
  account.tokens_at = now
  const nextAt = now + Math.ceil(((1 - (tokens - granted)) * 1_000) / perSecond)
  return { granted, nextAt: Math.max(now + 1, nextAt) }
}

export async function listAccounts(db: Db, now: number): Promise<ChannelAccount[]> {
  const rows = await db.selectFrom('channel_accounts').selectAll().orderBy('created_at').execute()
  return rows.map((row) => toAccount(row, now))
}

/** Settings of an account as its form may show them: what is secret stays out. */
export async function openAccount(
  { database, points, box }: Pick<Context, 'database' | 'points'> & { box: SecretBox },
  id: string,
): Promise<{ id: string; channel: string; name: string; settings: Record<string, unknown> }> {
  const row = await database.db
    .selectFrom('channel_accounts')
    .select(['id', 'channel', 'name', 'settings'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw notFound('Account', id)
  const secrets = new Set(secretsOf(points.channels.find(row.channel)?.value.settings))
  const settings = readSettings(box, row.settings)
  return {
    ...row,
    settings: Object.fromEntries(Object.entries(settings).filter(([key]) => !secrets.has(key))),
  }
}

function readSettings(box: SecretBox, sealed: string): Record<string, unknown> {
  return sealed === '' ? {} : (JSON.parse(box.open(sealed)) as Record<string, unknown>)
}

function secretsOf(schema: JsonSchema | undefined): string[] {
  const properties = (schema?.['properties'] ?? {}) as Record<string, { secret?: boolean }>
  return Object.entries(properties)
    .filter(([, property]) => property.secret === true)
    .map(([key]) => key)
}

type Context = Pick<CoreContext, 'database' | 'clock' | 'points'>

/** Seals what must not lie readable in the database. */
export interface SecretBox {
  seal(text: string): string
  open(sealed: string): string
}

/**
 * Stores an account after the channel has looked at its settings, which are sealed as a whole. A secret that is left
 * out stays what it was. Returns what the channel had to say, too.
 */
export async function saveAccount(
  { database, clock, points, box }: Context & { box: SecretBox },
  account: { id?: string; channel: string; name: string; settings: Record<string, unknown> },
): Promise<ChannelAccount & { note: string | null }> {
  const channel = points.channels.find(account.channel)
  if (!channel) throw notFound('Channel', account.channel)
  const now = clock.now()
  const settings = await withKeptSecrets({ database, box }, account, secretsOf(channel.value.settings))
  const fits = channel.value.settings ? compileSchema(channel.value.settings) : undefined
  if (fits && !fits(settings)) {
    const problems = problemsOf(fits.errors)
    throw userError('E_CHANNEL_SETTINGS', `The settings do not fit: ${problems[0]?.message}`, {
      details: { problems },
    })
  }
  const verdict = await channel.value.run.verifySettings?.(settings, {
    now,
    signal: AbortSignal.timeout(30_000),
  })
  if (verdict && !verdict.ok) {
    throw userError('E_CHANNEL_SETTINGS', verdict.message, {
      details: {
        ...(verdict.field ? { field: verdict.field } : {}),
        ...(verdict.reason ? { reason: verdict.reason } : {}),
      },
    })
  }
  const row = {
    id: account.id ?? uuid(),
    channel: account.channel,
    name: account.name,
    settings: box.seal(JSON.stringify(settings)),
    active: 1,
    created_at: now,
    updated_at: now,
  }
  return await transact(database.db, async (tx) => {
    await tx
      .insertInto('channel_accounts')
      .values(row)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet({
          name: row.name,
          settings: row.settings,
          updated_at: now,
          failures: 0,
          open_until: null,
          last_error: null,
          // Perhaps another mailbox now.
          poll_at: null,
          poll_cursor: null,
        }),
      )
      .execute()
    const saved = await tx
      .selectFrom('channel_accounts')
      .selectAll()
      .where('id', '=', row.id)
      .executeTakeFirstOrThrow()
    return { ...toAccount(saved, now), note: (verdict?.ok && verdict.note) || null }
  })
}

async function withKeptSecrets(
  { database, box }: Pick<Context, 'database'> & { box: SecretBox },
  { id, channel, settings }: { id?: string; channel: string; settings: Record<string, unknown> },
  secrets: readonly string[],
): Promise<Record<string, unknown>> {
  if (id === undefined || secrets.every((key) => key in settings)) return settings
  const row = await database.db
    .selectFrom('channel_accounts')
    .select('settings')
    .where('id', '=', id)
    .where('channel', '=', channel)
    .executeTakeFirst()
  const stored = row ? readSettings(box, row.settings) : {}
  const kept = Object.entries(stored).filter(([key]) => secrets.includes(key))
  return { ...Object.fromEntries(kept), ...settings }
}

/** An account that is switched off keeps its messages; they wait until it is switched on, or come too late. */
export async function switchAccount(
  { database, clock }: Pick<Context, 'database' | 'clock'>,
  id: string,
  active: boolean,
): Promise<ChannelAccount> {
  const row = await database.db
    .updateTable('channel_accounts')
    .set({ active: active ? 1 : 0, updated_at: clock.now(), failures: 0, open_until: null })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw notFound('Account', id)
  return toAccount(row, clock.now())
}

/**
 * Removes an account and its settings. What was sent over it stays in the log. Not while messages wait for it or are
 * under way: nor while a journey in force names it.
 */
export async function deleteAccount(
  { database }: Pick<Context, 'database'>,
  id: string,
): Promise<{ channel: string; name: string }> {
  return await transact(database.db, async (tx) => {
    // Nobody hands messages over meanwhile.
    await readCursor(tx, 'deliveries')
    const account = await tx
      .selectFrom('channel_accounts')
      .select(['channel', 'name'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (!account) throw notFound('Account', id)
    const waiting = await countWaiting(tx, { id, channel: account.channel })
    if (waiting > 0) {
      throw userError('E_ACCOUNT_IN_USE', `${waiting} messages wait for account "${account.name}"`, {
        hint: 'Wait until they are gone, or cancel them.',
        status: 409,
        details: { waiting },
      })
    }
    const journeys = await countJourneys(tx, id)
    if (journeys > 0) {
      throw userError(
        'E_ACCOUNT_NAMED',
        `${journeys} journeys in force send over account "${account.name}"`,
        {
          hint: 'Let them send over another account, or end them.',
          status: 409,
          details: { journeys },
        },
      )
    }
    await tx.deleteFrom('channel_accounts').where('id', '=', id).execute()
    return account
  })
}

/** Messages that go out over the account, or whose fate only its settings can tell. */
async function countWaiting(tx: Tx, { id, channel }: { id: string; channel: string }): Promise<number> {
  const first = await tx
    .selectFrom('channel_accounts')
    .select('id')
    .where('channel', '=', channel)
    .orderBy('created_at')
    .orderBy('id')
    .limit(2)
    .execute()
  // Those that name no account go over the oldest; with the last account gone they would find none with settings.
  const names = first.length === 1 ? [id, ''] : [id]
  const { count } = await tx
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('kind', '=', 'message')
    .where('state', 'in', ['planned', 'leased', 'unknown', 'pending'])
    .where((where) =>
      where.or([
        where.and([
          where('state', '=', 'planned'),
          where('channel', '=', channel),
          where('account', 'in', names),
        ]),
        where.and([where('state', '=', 'planned'), namesAccount('alternatives', id)]),
        where.and([where('state', '<>', 'planned'), where('used_account', '=', id)]),
      ]),
    )
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Journeys in force that send over the account by its name. */
async function countJourneys(tx: Tx, id: string): Promise<number> {
  const { count } = await tx
    .selectFrom('journeys')
    .innerJoin('journey_versions', (join) =>
      join
        .onRef('journey_versions.journey_id', '=', 'journeys.id')
        .onRef('journey_versions.version', '=', 'journeys.published_version'),
    )
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('journeys.state', 'in', ['live', 'paused'])
    .where(namesAccount('journey_versions.definition', id))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Whether a route in this JSON names the account. */
function namesAccount(column: string, id: string) {
  return sql<boolean>`cast(${sql.ref(column)} as text) like ${`%"account":${JSON.stringify(id)}%`}`
}

function toAccount(row: AccountRow, now: number): ChannelAccount {
  const { id, channel, name, active, failures } = row
  return {
    id,
    channel,
    name,
    active: active === 1,
    openUntil: row.open_until,
    lastError: row.last_error,
    failures,
    breaker: breakerOf(row, now),
    updatedAt: row.updated_at,
  }
}
