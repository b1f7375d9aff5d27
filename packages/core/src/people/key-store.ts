import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { AppError, userError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { type Database, type Db, transact, type Tx } from '../db/database.ts'
import type { KeyGeneration } from './vault.ts'

const NONCE = 12
const TAG = 16
/** Half of it seals, the other half makes the blind index. */
const MATERIAL = 64

const HINT =
  'Start with the HUITOU_SECRET (or the data folder’s file "secret") that the database was made with. Nothing was changed.'

/** A generation of keys as the database has it. */
export interface StoredKey {
  id: string
  createdAt: number
}

/**
 * Opens the installation's keys for personal data, or makes the first ones. They stand in the database sealed under the
 * installation's secret: a copy of the database alone opens nothing. Throws `E_PERSONAL_KEYS` under another secret, and
 * then nothing has been written.
 */
export async function openKeys(database: Database, secret: string, now: number): Promise<void> {
  const { db, vault } = database
  if ((await readStoredKeys(db)).length === 0) await addKey(db, secret, now)
  const reload = async () => vault.install(await readKeys(db, secret))
  vault.install(await readKeys(db, secret), reload)
}

/** Adds a generation, which seals from now on. Returns its id. */
export async function addKey(db: Db | Tx, secret: string, now: number): Promise<string> {
  const stored = await readStoredKeys(db)
  const id = (stored.reduce((last, key) => Math.max(last, Number.parseInt(key.id, 36)), 0) + 1).toString(36)
  await db
    .insertInto('personal_keys')
    .values({ id, sealed: seal(secret, id, randomBytes(MATERIAL)), created_at: now })
    // Of two nodes that start on an empty database one makes the key and both take it.
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return id
}

export async function dropKey(db: Db | Tx, id: string): Promise<void> {
  await db.deleteFrom('personal_keys').where('id', '=', id).execute()
}

/** Generations in the order they were made. */
export async function readStoredKeys(db: Db | Tx): Promise<StoredKey[]> {
  const rows = await db.selectFrom('personal_keys').select(['id', 'created_at']).execute()
  return rows
    .map(({ id, created_at }) => ({ id, createdAt: created_at }))
    .toSorted((a, b) => Number.parseInt(a.id, 36) - Number.parseInt(b.id, 36))
}

async function readKeys(db: Db | Tx, secret: string): Promise<KeyGeneration[]> {
  const rows = await db.selectFrom('personal_keys').select(['id', 'sealed']).execute()
  return rows
    .toSorted((a, b) => Number.parseInt(a.id, 36) - Number.parseInt(b.id, 36))
    .map(({ id, sealed }) => ({ id, material: unseal(secret, id, sealed) }))
}

/** Throws `E_PERSONAL_KEYS` when the database was sealed under neither of these secrets; then nothing is written. */
export async function checkKeys(
  { db, engine }: Database,
  secret: string | undefined,
  oldSecret?: string,
): Promise<void> {
  const { rows } =
    engine === 'postgres'
      ? await sql`select 1 from information_schema.tables where table_name = 'personal_keys' and table_schema = current_schema()`.execute(
          db,
        )
      : await sql`select 1 from sqlite_master where type = 'table' and name = 'personal_keys'`.execute(db)
  if (rows.length === 0) return
  if (secret !== undefined && oldSecret !== undefined) await rewrapKeys(db, oldSecret, secret)
  if (secret !== undefined) await readKeys(db, secret)
  else if ((await readStoredKeys(db)).length > 0)
    throw userError(
      'E_PERSONAL_KEYS',
      'Personal data in this database is sealed, and nobody gave the secret that opens it',
      {
        hint: HINT,
      },
    )
}

/** Seals the keys under another secret than they were sealed under; those that are already stay as they are. */
async function rewrapKeys(db: Db, from: string, to: string): Promise<void> {
  await transact(db, async (tx) => {
    for (const { id, sealed } of await tx.selectFrom('personal_keys').selectAll().execute()) {
      if (isUnder(to, id, sealed)) continue
      const again = seal(to, id, unseal(from, id, sealed))
      await tx.updateTable('personal_keys').set({ sealed: again }).where('id', '=', id).execute()
    }
  })
}

function isUnder(secret: string, id: string, sealed: string): boolean {
  try {
    unseal(secret, id, sealed)
    return true
  } catch {
    return false
  }
}

function seal(secret: string, id: string, material: Uint8Array): string {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', wrappingKey(secret), nonce).setAAD(Buffer.from(id))
  return Buffer.concat([nonce, cipher.update(material), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  )
}

function unseal(secret: string, id: string, sealed: string): Uint8Array {
  const bytes = Buffer.from(sealed, 'base64url')
  try {
    const decipher = createDecipheriv('aes-256-gcm', wrappingKey(secret), bytes.subarray(0, NONCE))
    decipher.setAAD(Buffer.from(id)).setAuthTag(bytes.subarray(-TAG))
    return Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()])
  } catch (cause) {
    throw new AppError(
      'user',
      'E_PERSONAL_KEYS',
      'Personal data in this database was sealed under another secret than this installation has',
      {
        hint: HINT,
        cause,
      },
    )
  }
}

function wrappingKey(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'huitou', 'personal data', 32))
}
