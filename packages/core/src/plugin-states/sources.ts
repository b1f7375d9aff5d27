import { notFound, userError } from '@huitou/plugin-api'
import type { Db } from '../db/database.ts'

/** A place where plugins are found. */
export interface PluginRegistry {
  id: string
  kind: 'npm' | 'folder' | 'web'
  title: string
  options: {
    /** Absent for npm: whatever the owner's npm configuration names. */
    url?: string | undefined
    path?: string | undefined
    scope?: string | undefined
    /** Sealed. */
    token?: string | undefined
  }
  addedAt: number
}

/** Somebody whose signature is believed. */
export interface PluginPublisher {
  publisher: string
  keyId: string
  publicKey: string
  addedAt: number
  addedBy: string
}

export async function listRegistries(db: Db): Promise<PluginRegistry[]> {
  const rows = await db
    .selectFrom('plugin_registries')
    .selectAll()
    .orderBy('added_at')
    .orderBy('id')
    .execute()
  return rows.map(({ id, kind, title, options, added_at }) => ({
    id,
    kind: kind as PluginRegistry['kind'],
    title,
    options: JSON.parse(options) as PluginRegistry['options'],
    addedAt: added_at,
  }))
}

export async function addRegistry(db: Db, registry: PluginRegistry): Promise<void> {
  const result = await db
    .insertInto('plugin_registries')
    .values({
      id: registry.id,
      kind: registry.kind,
      title: registry.title,
      options: JSON.stringify(registry.options),
      added_at: registry.addedAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (result.numInsertedOrUpdatedRows === 0n)
    throw userError('E_DUPLICATE_REGISTRY', `There is a registry "${registry.id}" already`, {
      status: 409,
      hint: 'Choose another id, or remove that one first.',
    })
}

export async function removeRegistry(db: Db, id: string): Promise<void> {
  const { numDeletedRows } = await db.deleteFrom('plugin_registries').where('id', '=', id).executeTakeFirst()
  if (numDeletedRows === 0n) throw notFound('Registry', id)
}

export async function listPublishers(db: Db): Promise<PluginPublisher[]> {
  const rows = await db
    .selectFrom('plugin_publishers')
    .selectAll()
    .orderBy('publisher')
    .orderBy('added_at')
    .execute()
  return rows.map((row) => ({
    publisher: row.publisher,
    keyId: row.key_id,
    publicKey: row.public_key,
    addedAt: row.added_at,
    addedBy: row.added_by,
  }))
}

export async function addPublisher(db: Db, publisher: PluginPublisher): Promise<void> {
  const result = await db
    .insertInto('plugin_publishers')
    .values({
      key_id: publisher.keyId,
      publisher: publisher.publisher,
      public_key: publisher.publicKey,
      added_at: publisher.addedAt,
      added_by: publisher.addedBy,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (result.numInsertedOrUpdatedRows === 0n)
    throw userError('E_DUPLICATE_PUBLISHER', `The key "${publisher.keyId}" is in the list already`, {
      status: 409,
    })
}

export async function removePublisher(db: Db, keyId: string): Promise<void> {
  const { numDeletedRows } = await db
    .deleteFrom('plugin_publishers')
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  if (numDeletedRows === 0n) throw notFound('Key', keyId)
}
