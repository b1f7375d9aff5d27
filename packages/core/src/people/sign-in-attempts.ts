import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Db } from '../db/database.ts'

/** Failures that are forgiven, and how long they are remembered. */
const FREE = { account: 5, address: 30 }
const WINDOW_MS = 15 * 60_000
const FIRST_PAUSE_MS = 15_000
const LONGEST_PAUSE_MS = 15 * 60_000

export interface Attempt {
  /** E-mail as it was typed; whether there is such an account makes no difference. */
  account: string
  /** Of the sender; undefined when it is not known. */
  address: string | undefined
}

/**
 * Slows down whoever guesses: after some failures an account, or an address, has to wait, each time twice as long.
 * Kept in the database, so that nodes count together; neither e-mail nor address stands there in clear.
 */
export class SignInAttempts {
  readonly #db: Db
  readonly #clock: Clock

  constructor(db: Db, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  /** Milliseconds until the next attempt is heard; 0 when it may come now. */
  async wait(attempt: Attempt): Promise<number> {
    const rows = await this.#db
      .selectFrom('sign_in_attempts')
      .select('blocked_until')
      .where('key', 'in', keysOf(attempt))
      .execute()
    return Math.max(0, ...rows.map((row) => row.blocked_until - this.#clock.now()))
  }

  async fail(attempt: Attempt): Promise<void> {
    const now = this.#clock.now()
    for (const key of keysOf(attempt)) {
      const fresh = { failures: 1, since: now, blocked_until: 0 }
      const { failures } = await this.#db
        .insertInto('sign_in_attempts')
        .values({ key, ...fresh })
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet({
            failures: sql`case when sign_in_attempts.since < ${now - WINDOW_MS} then 1 else sign_in_attempts.failures + 1 end`,
            since: sql`case when sign_in_attempts.since < ${now - WINDOW_MS} then ${now} else sign_in_attempts.since end`,
          }),
        )
        .returning('failures')
        .executeTakeFirstOrThrow()
      const free = key.startsWith('account:') ? FREE.account : FREE.address
      if (failures < free) continue
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(20, failures - free))
      await this.#db
        .updateTable('sign_in_attempts')
        .set({ blocked_until: now + pause })
        .where('key', '=', key)
        .execute()
    }
  }

  /** Forgets the failures of an account, and those of everybody that are long past. */
  async succeed({ account }: Attempt): Promise<void> {
    await this.#db
      .deleteFrom('sign_in_attempts')
      .where((row) =>
        row.or([
          row('key', '=', keyOf('account', account)),
          row.and([
            row('since', '<', this.#clock.now() - WINDOW_MS),
            row('blocked_until', '<', this.#clock.now()),
          ]),
        ]),
      )
      .execute()
  }
}

function keysOf({ account, address }: Attempt): string[] {
  return [keyOf('account', account), ...(address ? [keyOf('address', address)] : [])]
}

function keyOf(kind: 'account' | 'address', value: string): string {
  return `${kind}:${createHash('sha256').update(value.trim().toLowerCase()).digest('base64url')}`
}
