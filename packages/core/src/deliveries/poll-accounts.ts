import type { PollAnswer, Receipt } from '@huitou/plugin-api'
import { type Db, transact } from '../db/database.ts'
import type { AccountRow } from './accounts.ts'
import { recordReceipts } from './receipts.ts'
import { CALL_MS, type DeliveryContext, openSettings } from './worker-context.ts'

const LEAST_SECONDS = 10
/** What went wrong when it was polled, and not when something was sent. */
const MARK = 'poll: '
/** More would be no place in a mailbox but a copy of it. */
const LONGEST_CURSOR = 10_000

/**
 * Takes the accounts that are due among those whose channel is polled by account. Theirs is the next turn from now on,
 * so that another node leaves them alone, and whoever dies while asking is not asked again at once.
 */
export async function takeDueAccounts({ database, clock, points }: DeliveryContext): Promise<AccountRow[]> {
  const polled = points.channels.list().filter(({ value }) => value.pollSeconds !== undefined)
  if (polled.length === 0) return []
  const now = clock.now()
  const rows = await dueAccounts(
    database.db,
    polled.map(({ id }) => id),
    now,
  )
  const taken: AccountRow[] = []
  for (const row of rows) {
    const seconds = points.channels.find(row.channel)?.value.pollSeconds ?? 60
    const { numUpdatedRows } = await database.db
      .updateTable('channel_accounts')
      .set({ poll_at: now + Math.max(seconds, LEAST_SECONDS) * 1_000 })
      .where('id', '=', row.id)
      .where((where) => where.or([where('poll_at', 'is', null), where('poll_at', '=', row.poll_at)]))
      .executeTakeFirst()
    if (Number(numUpdatedRows) > 0) taken.push(row)
  }
  return taken
}

async function dueAccounts(db: Db, channels: readonly string[], now: number): Promise<AccountRow[]> {
  return await db
    .selectFrom('channel_accounts')
    .selectAll()
    .where('channel', 'in', channels)
    .where('active', '=', 1)
    .where('settings', '<>', '')
    .where((where) => where.or([where('poll_at', 'is', null), where('poll_at', '<=', now)]))
    .execute()
}

/**
 * Asks one account what it has to tell. The receipts and how far it has read are stored together: whatever happens in
 * between, the next call begins where the stored ones end, and what is told twice is known.
 */
export async function pollAccount(context: DeliveryContext, account: AccountRow): Promise<void> {
  const { database, clock, box, points, log } = context
  const { id, channel, poll_cursor } = account
  const poll = points.channels.find(channel)?.value.run.poll
  if (!poll) return
  const call = { now: clock.now(), signal: AbortSignal.timeout(CALL_MS) }
  try {
    const settings = openSettings(box, account.settings)
    const cursor = poll_cursor ?? undefined
    const answer = toAnswer(
      await poll({ settings, pending: [], ...(cursor === undefined ? {} : { cursor }) }, call),
    )
    await transact(database.db, async (tx) => {
      const now = clock.now()
      await recordReceipts(tx, { channel, receipts: answer.receipts, now })
      await tx
        .updateTable('channel_accounts')
        .set({
          poll_cursor: answer.cursor?.slice(0, LONGEST_CURSOR) ?? poll_cursor,
          ...(account.last_error?.startsWith(MARK) ? { last_error: null } : {}),
          ...(answer.more ? { poll_at: now } : {}),
        })
        .where('id', '=', id)
        // Settings that were changed meanwhile are of another mailbox.
        .where('settings', '=', account.settings)
        .execute()
    })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    // Said where people look after the account; messages go out all the same.
    await database.db
      .updateTable('channel_accounts')
      .set({ last_error: `${MARK}${message}`.slice(0, 500) })
      .where('id', '=', id)
      .execute()
    log.warn(
      { channel, account: id, error: String(error) },
      'An account could not be polled; it is polled again',
    )
  }
}

export function toAnswer(answer: readonly Receipt[] | PollAnswer): Omit<PollAnswer, 'receipts'> & {
  receipts: readonly Receipt[]
} {
  return 'receipts' in answer ? answer : { receipts: answer }
}
