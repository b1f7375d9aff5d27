import { userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { type Db, transact, type Tx } from '../db/database.ts'

const KEY_LIMIT = 200
const VALUE_LIMIT = 64 * 1_024
const TOTAL_LIMIT = 10 * 1_024 * 1_024
const KEYS_LIMIT = 10_000
const SECRET_LIMIT = 16 * 1_024
const SECRETS_LIMIT = 1_000

type Context = Pick<CoreContext, 'database' | 'clock'>

/** The value under `key`; undefined when there is none. */
export async function findStored(db: Db, pluginId: string, key: string): Promise<unknown> {
  const row = await db
    .selectFrom('plugin_storage')
    .select('value')
    .where('plugin_id', '=', pluginId)
    .where('key', '=', checkedKey(key))
    .executeTakeFirst()
  return row === undefined ? undefined : (JSON.parse(row.value) as unknown)
}

/** Stores JSON under `key`: 64 KB a value, 10 MB and ten thousand keys a plugin. */
export async function store(
  { database, clock }: Context,
  pluginId: string,
  { key, value }: { key: string; value: unknown },
): Promise<void> {
  const json = toJson(key, value)
  const size = Buffer.byteLength(json) + Buffer.byteLength(checkedKey(key))
  await transact(database.db, async (tx) => {
    const { keys, total } = await sizeBeside(tx, pluginId, key)
    if (total + size > TOTAL_LIMIT || keys >= KEYS_LIMIT) {
      throw userError(
        'E_STORAGE_FULL',
        `Plugin "${pluginId}" would store more than ${TOTAL_LIMIT / 1_024 / 1_024} MB or ${KEYS_LIMIT} keys`,
        { status: 413, hint: 'Delete what is no longer needed, or keep records in a collection.' },
      )
    }
    const row = { plugin_id: pluginId, key, value: json, size, updated_at: clock.now() }
    await tx
      .insertInto('plugin_storage')
      .values(row)
      .onConflict((conflict) => conflict.columns(['plugin_id', 'key']).doUpdateSet(row))
      .execute()
  })
}

export async function deleteStored(db: Db, pluginId: string, key: string): Promise<void> {
  await db.deleteFrom('plugin_storage').where('plugin_id', '=', pluginId).where('key', '=', key).execute()
}

/** Keys that start with `prefix`, in order of their characters on every database. */
export async function listStored(db: Db, pluginId: string, prefix: string): Promise<string[]> {
  const rows = await db.selectFrom('plugin_storage').select('key').where('plugin_id', '=', pluginId).execute()
  return rows
    .map(({ key }) => key)
    .filter((key) => key.startsWith(prefix))
    .sort()
}

/** Seals and opens texts: the server's secret box. */
export interface SealingBox {
  seal(text: string): string
  open(sealed: string): string
}

export async function findSecret(
  db: Db,
  box: SealingBox,
  { pluginId, key }: { pluginId: string; key: string },
): Promise<string | undefined> {
  const row = await db
    .selectFrom('plugin_secrets')
    .select('sealed')
    .where('plugin_id', '=', pluginId)
    .where('key', '=', checkedKey(key))
    .executeTakeFirst()
  return row && box.open(row.sealed)
}

/** Stores a secret, sealed. */
export async function storeSecret(
  { database, clock }: Context,
  box: SealingBox,
  { pluginId, key, value }: { pluginId: string; key: string; value: string },
): Promise<void> {
  if (typeof value !== 'string' || value.length > SECRET_LIMIT)
    throw userError('E_STORAGE_VALUE', `A secret is a text of at most ${SECRET_LIMIT / 1_024} KB`)
  const row = { plugin_id: pluginId, key: checkedKey(key), sealed: box.seal(value), updated_at: clock.now() }
  await transact(database.db, async (tx) => {
    const { keys } = await tx
      .selectFrom('plugin_secrets')
      .select((count) => count.fn.countAll<number>().as('keys'))
      .where('plugin_id', '=', pluginId)
      .where('key', '!=', key)
      .executeTakeFirstOrThrow()
    if (keys >= SECRETS_LIMIT)
      throw userError('E_STORAGE_FULL', `A plugin may store ${SECRETS_LIMIT} secrets`, { status: 413 })
    await tx
      .insertInto('plugin_secrets')
      .values(row)
      .onConflict((conflict) => conflict.columns(['plugin_id', 'key']).doUpdateSet(row))
      .execute()
  })
}

export async function deleteSecret(db: Db, pluginId: string, key: string): Promise<void> {
  await db.deleteFrom('plugin_secrets').where('plugin_id', '=', pluginId).where('key', '=', key).execute()
}

/** Everything that the plugin stored, for an export; secrets by name only. */
export async function readPluginStorage(
  db: Db,
  pluginId: string,
): Promise<{ values: Record<string, unknown>; secrets: string[]; bytes: number }> {
  const rows = await db.selectFrom('plugin_storage').selectAll().where('plugin_id', '=', pluginId).execute()
  const secrets = await db
    .selectFrom('plugin_secrets')
    .select('key')
    .where('plugin_id', '=', pluginId)
    .execute()
  return {
    values: Object.fromEntries(rows.map(({ key, value }) => [key, JSON.parse(value) as unknown])),
    secrets: secrets.map(({ key }) => key),
    bytes: rows.reduce((sum, { size }) => sum + size, 0),
  }
}

/** Forgets everything that the plugin stored. */
export async function erasePluginStorage(tx: Db | Tx, pluginId: string): Promise<void> {
  for (const table of ['plugin_storage', 'plugin_secrets', 'plugin_permission_uses'] as const)
    await tx.deleteFrom(table).where('plugin_id', '=', pluginId).execute()
}

async function sizeBeside(tx: Tx, pluginId: string, key: string): Promise<{ keys: number; total: number }> {
  const row = await tx
    .selectFrom('plugin_storage')
    .select((sum) => [sum.fn.countAll<number>().as('keys'), sum.fn.sum<number | null>('size').as('total')])
    .where('plugin_id', '=', pluginId)
    .where('key', '!=', key)
    .executeTakeFirstOrThrow()
  return { keys: row.keys, total: row.total ?? 0 }
}

function checkedKey(key: unknown): string {
  if (typeof key === 'string' && key !== '' && key.length <= KEY_LIMIT && !/\p{Cc}|\p{Cs}/u.test(key))
    return key
  throw userError('E_STORAGE_KEY', `A key is a text of 1 to ${KEY_LIMIT} plain characters`)
}

function toJson(key: string, value: unknown): string {
  let json: string | undefined
  try {
    json = JSON.stringify(value)
  } catch (cause) {
    throw userError('E_STORAGE_VALUE', `The value under "${key}" is not JSON`, { cause })
  }
  if (json === undefined) throw userError('E_STORAGE_VALUE', `The value under "${key}" is not JSON`)
  if (Buffer.byteLength(json) <= VALUE_LIMIT && !/\\u(?:0000|d[89a-f])/i.test(json)) return json
  throw userError(
    'E_STORAGE_VALUE',
    `The value under "${key.slice(0, 60)}" is larger than ${VALUE_LIMIT / 1_024} KB, or holds characters that no database keeps`,
    { status: 413 },
  )
}
