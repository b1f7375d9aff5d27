import type { Kysely } from 'kysely'
import { createTestCore, engines, openTestDatabase } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { migrate } from '../db/migrate.ts'
import { transact } from '../db/database.ts'
import { coreMigrations } from '../schema.ts'
import {
  findWished,
  forgetPlugin,
  listVersions,
  listWished,
  type WishedPlugin,
  writeVersion,
  writeWished,
} from './queries.ts'
import { beginUpgrade, findLastUpgrade, listTrials, settleUpgrade } from './upgrades.ts'
import {
  addPublisher,
  addRegistry,
  listPublishers,
  listRegistries,
  removePublisher,
  removeRegistry,
} from './sources.ts'

const wished: WishedPlugin = {
  id: 'acme.tea',
  version: '1.0.0',
  digest: 'sha256-a',
  source: { kind: 'registry', registry: 'npm', name: '@acme/tea' },
  state: 'installed',
  enabled: true,
  trusted: false,
  settings: { factor: 2 },
  fault: null,
  installedAt: 5,
  installedBy: 'u',
}

describe.each(engines)('on %s', (engine) => {
  test('what was decided about plugins before there was a wished set is in it', async () => {
    const { database, remove } = await openTestDatabase(engine)
    try {
      const former = Object.entries(coreMigrations).filter(([name]) => name < '0080')
      await migrate(database, 'core', Object.fromEntries(former))
      const { db } = database as unknown as { db: Kysely<any> }
      const rows = [
        { id: 'huitou.rfm', enabled: 0, settings: '{"method":"rank"}', updated_at: 7 },
        { id: 'examples.tea', enabled: 1, settings: '{}', updated_at: 8 },
      ]
      await db.insertInto('plugin_states').values(rows).execute()
      await migrate(database, 'core', coreMigrations)
      expect(await listWished(database.db)).toMatchObject([
        { id: 'examples.tea', enabled: true, version: null, source: { kind: 'process' } },
        { id: 'huitou.rfm', enabled: false, settings: { method: 'rank' }, state: 'installed' },
      ])
      expect((await listRegistries(database.db)).map(({ id, kind }) => [id, kind])).toEqual([['npm', 'npm']])
    } finally {
      await database.close()
      await remove()
    }
  })

  test('wished plugins, versions and upgrades come back as they were written; an upgrade ends once', async () => {
    await using core = await createTestCore({ engine })
    const { db } = core.database
    await writeWished(db, wished, 9)
    await writeWished(db, { ...wished, enabled: false }, 10)
    expect(await findWished(db, 'acme.tea')).toEqual({ ...wished, enabled: false })
    const version = {
      pluginId: 'acme.tea',
      version: '1.0.0',
      digest: 'sha256-a',
      signature: { state: 'trusted', publisher: 'acme', keyId: 'k', publicKey: 'p' } as const,
      grants: { 'profile.read': ['a'] },
      allowed: true,
      installedAt: 5,
      installedBy: 'u',
    }
    await writeVersion(db, version)
    await writeVersion(db, { ...version, version: '1.1.0', grants: null, installedAt: 6 })
    expect(await listVersions(db, 'acme.tea')).toMatchObject([{ version: '1.1.0', grants: null }, version])
    const upgrade = { pluginId: 'acme.tea', from: '1.0.0', to: '1.1.0', startedAt: 6, startedBy: 'u' }
    const snapshot = {
      wished,
      dropped: { token: 'sealed' },
      parts: { collections: [1] },
      triedBy: { host: 'h', pid: 1 },
    }
    const id = await transact(db, (tx) => beginUpgrade(tx, { ...upgrade, snapshot }))
    expect(await listTrials(db)).toMatchObject([{ ...upgrade, id, state: 'trial', snapshot }])
    const reason = { code: 'E_X', message: 'no', at: 7 }
    expect(await settleUpgrade(db, id, { state: 'rolled_back', reason, now: 7 })).toBe(true)
    expect(await settleUpgrade(db, id, { state: 'done', now: 8 })).toBe(false)
    expect(await listTrials(db)).toEqual([])
    expect(await findLastUpgrade(db, 'acme.tea')).toBeUndefined()
    await transact(db, (tx) => forgetPlugin(tx, 'acme.tea'))
    expect([await listWished(db), await listVersions(db)]).toEqual([[], []])
  })

  test('a registry and a key are there once, and what is not there cannot be removed', async () => {
    await using core = await createTestCore({ engine })
    const { db } = core.database
    const registry = {
      id: 'own',
      kind: 'web',
      title: 'Own',
      options: { url: 'https://p.example/' },
      addedAt: 1,
    } as const
    await addRegistry(db, registry)
    await expect(addRegistry(db, registry)).rejects.toMatchObject({ code: 'E_DUPLICATE_REGISTRY' })
    expect(await listRegistries(db)).toMatchObject([{ id: 'npm' }, registry])
    await removeRegistry(db, 'own')
    await expect(removeRegistry(db, 'own')).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
    const key = { publisher: 'acme', keyId: 'k', publicKey: 'p', addedAt: 1, addedBy: 'u' }
    await addPublisher(db, key)
    await expect(addPublisher(db, key)).rejects.toMatchObject({ code: 'E_DUPLICATE_PUBLISHER' })
    expect(await listPublishers(db)).toEqual([key])
    await removePublisher(db, 'k')
    await expect(removePublisher(db, 'k')).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
  })
})
