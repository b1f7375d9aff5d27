import { createHash, randomBytes } from 'node:crypto'
import { userError } from '@huitou/plugin-api'
import { v7 as uuid } from 'uuid'
import type { Clock } from '../clock.ts'
import type { Db } from '../db/database.ts'

/** A key as people see it; the key itself is shown once, when it is made. */
export interface WriteKey {
  id: string
  name: string
  /** Last four characters. */
  tail: string
  createdAt: number
  lastUsedAt: number | null
}

export async function createWriteKey(
  db: Db,
  clock: Clock,
  name: string,
): Promise<WriteKey & { key: string }> {
  const key = `hk_${randomBytes(24).toString('base64url')}`
  const row = {
    id: uuid(),
    name,
    digest: digestOf(key),
    tail: key.slice(-4),
    created_at: clock.now(),
    last_used_at: null,
  }
  await db.insertInto('write_keys').values(row).execute()
  return { ...toWriteKey(row), key }
}

export async function listWriteKeys(db: Db): Promise<WriteKey[]> {
  const rows = await db.selectFrom('write_keys').selectAll().orderBy('created_at').execute()
  return rows.map(toWriteKey)
}

export async function deleteWriteKey(db: Db, id: string): Promise<void> {
  await db.deleteFrom('write_keys').where('id', '=', id).execute()
}

/** Says which source a key stands for. Answers are kept for a few seconds, so a revoked key dies that late. */
export class WriteKeyDoor {
  readonly #db: Db
  readonly #clock: Clock
  readonly #known = new Map<string, { source: string | undefined; until: number }>()

  constructor(db: Db, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  /** Id of the write key, or an error that says that there is none. */
  async sourceOf(key: string | undefined): Promise<string> {
    if (!key) {
      throw userError('E_WRITE_KEY_MISSING', 'The request carries no write key', {
        status: 401,
        hint: 'Send it as the user name of HTTP Basic, as Bearer token, or as writeKey in the body.',
      })
    }
    const digest = digestOf(key)
    const now = this.#clock.now()
    const known = this.#known.get(digest)
    const source = known && known.until > now ? known.source : await this.#look(digest, now)
    if (source === undefined) {
      throw userError('E_WRITE_KEY_UNKNOWN', 'No source has this write key', {
        status: 401,
        hint: 'Look it up under Settings, or make a new one.',
      })
    }
    return source
  }

  async #look(digest: string, now: number): Promise<string | undefined> {
    const row = await this.#db
      .updateTable('write_keys')
      .set({ last_used_at: now })
      .where('digest', '=', digest)
      .returning('id')
      .executeTakeFirst()
    // Wrong keys must not fill the memory.
    if (this.#known.size > 10_000) this.#known.clear()
    this.#known.set(digest, { source: row?.id, until: now + 10_000 })
    return row?.id
  }
}

function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}

function toWriteKey(row: {
  id: string
  name: string
  tail: string
  created_at: number
  last_used_at: number | null
}): WriteKey {
  return {
    id: row.id,
    name: row.name,
    tail: row.tail,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  }
}
