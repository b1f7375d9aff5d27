import { createHash, randomBytes } from 'node:crypto'
import { notFound } from '@huitou/plugin-api'
import { v7 as uuid } from 'uuid'
import type { Clock } from '../clock.ts'
import type { Db } from '../db/database.ts'
import type { User } from './auth.ts'
import { KEY_SCOPES, type Permission } from './permissions.ts'

/** A key of a program as people see it; the key itself is shown once, when it is made. */
export interface ApiKey {
  id: string
  name: string
  /** Last four characters. */
  tail: string
  scopes: Permission[]
  createdBy: string
  createdAt: number
  expiresAt: number | null
  lastUsedAt: number | null
  isExpired: boolean
}

export interface NewApiKey {
  name: string
  scopes: readonly Permission[]
  expiresAt: number | null
  by: string
}

const PREFIX = 'hk_api_'
/** How exactly "last used" is known: writing it down for every request would cost more than answering it. */
const USED_EVERY_MS = 60_000

/** Keys with which programs call the API. Of each only a digest is kept. */
export class ApiKeys {
  readonly #db: Db
  readonly #clock: Clock

  constructor(db: Db, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  async create({ name, scopes, expiresAt, by }: NewApiKey): Promise<ApiKey & { key: string }> {
    const key = `${PREFIX}${randomBytes(30).toString('base64url')}`
    const row = {
      id: uuid(),
      name,
      digest: digestOf(key),
      tail: key.slice(-4),
      scopes: JSON.stringify(scopes),
      created_by: by,
      created_at: this.#clock.now(),
      expires_at: expiresAt,
      last_used_at: null,
      revoked_at: null,
    }
    await this.#db.insertInto('api_keys').values(row).execute()
    return { ...this.#view(row), key }
  }

  /** Keys that were not revoked, newest first. */
  async list(): Promise<ApiKey[]> {
    const rows = await this.#db
      .selectFrom('api_keys')
      .selectAll()
      .where('revoked_at', 'is', null)
      .orderBy('created_at', 'desc')
      .execute()
    return rows.map((row) => this.#view(row))
  }

  /** Ends a key at once. Its row stays, so that the audit log can name it. */
  async revoke(id: string): Promise<void> {
    const { numUpdatedRows } = await this.#db
      .updateTable('api_keys')
      .set({ revoked_at: this.#clock.now() })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw notFound('API key', id)
  }

  /** Who a key stands for; undefined when there is none such, or no longer. */
  async find(key: string): Promise<User | undefined> {
    if (!key.startsWith(PREFIX)) return undefined
    const now = this.#clock.now()
    const row = await this.#db
      .selectFrom('api_keys')
      .selectAll()
      .where('digest', '=', digestOf(key))
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    if (!row || (row.expires_at !== null && row.expires_at <= now)) return undefined
    if (row.last_used_at === null || now - row.last_used_at >= USED_EVERY_MS) {
      await this.#db.updateTable('api_keys').set({ last_used_at: now }).where('id', '=', row.id).execute()
    }
    return {
      id: `key:${row.id}`,
      name: row.name,
      email: '',
      // Where an extension says which roles its records are for, a key counts as one who runs the business.
      role: 'operator',
      locale: 'en',
      permissions: scopesOf(row.scopes),
    }
  }

  #view(row: {
    id: string
    name: string
    tail: string
    scopes: string
    created_by: string
    created_at: number
    expires_at: number | null
    last_used_at: number | null
  }): ApiKey {
    return {
      id: row.id,
      name: row.name,
      tail: row.tail,
      scopes: scopesOf(row.scopes),
      createdBy: row.created_by,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      lastUsedAt: row.last_used_at,
      isExpired: row.expires_at !== null && row.expires_at <= this.#clock.now(),
    }
  }
}

/** What no key may do falls out here too, so that a row written by hand gives no more. */
function scopesOf(text: string): Permission[] {
  const kept = JSON.parse(text) as string[]
  return KEY_SCOPES.filter((scope) => kept.includes(scope))
}

function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}
