import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import {
  countCollections,
  eraseCollections,
  exportCollections,
  restoreCollections,
  snapshotCollections,
} from './apply.ts'
import { complaintId, complaints, declare, insertAll, plugin } from './collections-fixture.ts'
import type { CollectionDeclaration } from './declaration.ts'

type Properties = Record<string, object | undefined>

/** The complaints with other properties; undefined takes one away. */
function changed(
  properties: Properties,
  rest: object = {},
  required = ['subject', 'state'],
): CollectionDeclaration {
  const all: Properties = { ...(complaints.schema['properties'] as Properties), ...properties }
  const kept = Object.fromEntries(Object.entries(all).filter(([, property]) => property !== undefined))
  return { ...complaints, schema: { ...complaints.schema, required, properties: kept }, ...rest }
}

async function subjects(core: TestCore, search: object = {}): Promise<unknown[]> {
  const { records } = await core.collections.find(complaintId, {
    sort: { field: 'subject', dir: 'asc' },
    limit: 50,
    ...search,
  })
  return records.map(({ data }) => data['subject'])
}

describe.each(engines)('collections between versions on %s', (engine) => {
  test('declaring the same again changes nothing; what is no longer declared keeps its records', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    await insertAll(core.collections, [{ subject: 'a' }])
    expect(await core.collections.apply(plugin, [complaints])).toEqual({
      created: [],
      changed: [],
      removed: [],
    })
    expect(await core.collections.apply(plugin, [])).toMatchObject({ removed: [complaintId] })
    await expect(core.collections.find(complaintId, { limit: 1 })).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
    })
    expect(await core.collections.apply(plugin, [complaints])).toMatchObject({ changed: [complaintId] })
    expect(await subjects(core)).toEqual(['a'])
  })

  test('properties come, go, are renamed and come back with what they held', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const [id = ''] = await insertAll(core.collections, [
      { subject: 'a', note: 'long ago', cost: 5, mood: 1.5 },
    ])
    const next = changed(
      {
        cost: { type: 'number' },
        mood: undefined,
        note: undefined,
        remark: { type: 'string', renamedFrom: 'note' },
        level: { type: 'integer', default: 3 },
      },
      { searchable: ['remark'], indexes: [['level', 'cost']] },
      ['subject', 'state', 'level'],
    )
    await core.collections.apply(plugin, [next])
    expect((await core.collections.get(complaintId, id)).data).toEqual({
      subject: 'a',
      state: 'open',
      cost: 5,
      remark: 'long ago',
      level: 3,
    })
    expect(await subjects(core, { search: 'long' })).toEqual(['a'])
    expect(
      await subjects(core, {
        filter: { field: 'level', op: 'is', value: 3 },
        sort: { field: 'cost', dir: 'desc' },
      }),
    ).toEqual(['a'])
    await core.collections.apply(plugin, [complaints])
    expect((await core.collections.get(complaintId, id)).data).toMatchObject({ mood: 1.5 })
  })

  test('a version that the records do not fit is refused with the reason, and nothing is changed', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    await insertAll(core.collections, [
      { subject: 'a', note: 'x', cost: 5 },
      { subject: 'b', cost: 9 },
    ])
    const refused = async (declaration: CollectionDeclaration) =>
      await core.collections.apply(plugin, [declaration]).then(
        () => 'accepted',
        ({ code, details }: { code: string; details: object }) => ({ code, ...details }),
      )
    expect(await refused(changed({ note: { type: 'integer' } }))).toMatchObject({
      code: 'E_COLLECTION_INCOMPATIBLE',
      property: 'note',
      records: 1,
    })
    expect(await refused(changed({}, {}, ['subject', 'state', 'due']))).toMatchObject({
      property: 'due',
      records: 2,
    })
    expect(await refused(changed({ cost: { type: 'integer', maximum: 6 } }))).toMatchObject({
      property: 'cost',
      records: 1,
    })
    expect(await refused(changed({ state: { type: 'string', enum: ['closed'] } }))).toMatchObject({
      property: 'state',
      records: 2,
    })
    expect(await subjects(core)).toEqual(['a', 'b'])
    expect(await core.collections.apply(plugin, [complaints])).toEqual({
      created: [],
      changed: [],
      removed: [],
    })
  })

  test.each<[string, object]>([
    ['no object', { schema: { type: 'string' } }],
    ['a field that is not there', { titleField: 'headline' }],
    ['a name no column can have', { schema: { type: 'object', properties: { 'a"b': { type: 'string' } } } }],
    [
      'two names that differ in case',
      {
        schema: { type: 'object', properties: { ab: {}, AB: {} } },
        searchable: [],
        indexes: [],
        references: {},
        titleField: undefined,
      },
    ],
    ['an index over a list', { indexes: [['topics']] }],
    [
      'a schema that leads elsewhere',
      { schema: { ...complaints.schema, allOf: [{ $ref: 'https://example.com/x' }] } },
    ],
  ])('a declaration with %s is refused', async (_name, part) => {
    if (engine === 'postgres') return
    await using core = await createTestCore({ engine })
    await expect(
      core.collections.apply(plugin, [{ ...complaints, ...part } as CollectionDeclaration]),
    ).rejects.toMatchObject({
      code: 'E_COLLECTION_DECLARATION',
    })
  })

  test('an upgrade is taken back with everything it did to the records', async () => {
    await using core = await createTestCore({ engine })
    const told: unknown[] = []
    const declared = { ...complaints, hooks: ['afterChange' as const] }
    await declare(core, [declared], { afterChange: (change) => void told.push(change) })
    const [one = '', two = '', three = ''] = await insertAll(core.collections, [
      { subject: 'one', note: '退款', cost: 1 },
      { subject: 'two', cost: 2 },
      { subject: 'three', cost: 3 },
    ])
    await core.settle()
    const by = `plugin:${plugin}` as const
    const before = await Promise.all([one, two, three].map((id) => core.collections.get(complaintId, id)))
    const snapshot = await transact(core.database.db, (tx) => snapshotCollections(tx, plugin))
    const kept = JSON.parse(JSON.stringify(snapshot)) as typeof snapshot

    const log: CollectionDeclaration = {
      id: 'log',
      title: 'Log',
      schema: { type: 'object', properties: { line: { type: 'string' } } },
    }
    const next = changed(
      {
        cost: undefined,
        price: { type: 'integer', renamedFrom: 'cost' },
        level: { type: 'integer', default: 1 },
      },
      { indexes: [['price']], hooks: ['afterChange'] },
    )
    await core.collections.apply(plugin, [next, log])
    await core.collections.update(complaintId, one, { data: { price: 100, note: 'changed' }, by })
    await core.collections.update(complaintId, one, { data: { subject: 'uno' }, by })
    await core.collections.delete(complaintId, [two], { by })
    const added = await core.collections.insert(complaintId, { subject: 'four' }, { by })
    await core.collections.update(complaintId, added.id, { data: { subject: 'vier' }, by })

    await transact(core.database.db, (tx) => restoreCollections(tx, kept, { now: core.clock.now() }))
    expect(await Promise.all([one, two, three].map((id) => core.collections.get(complaintId, id)))).toEqual(
      before,
    )
    expect(await subjects(core)).toEqual(['one', 'three', 'two'])
    expect(await subjects(core, { search: '退款' })).toEqual(['one'])
    expect(await subjects(core, { search: 'changed' })).toEqual([])
    expect(await countCollections(core.database.db, plugin)).toEqual([
      { id: complaintId, records: 3, active: true },
    ])
    told.length = 0
    await core.settle()
    expect(told).toEqual([])
    // The next try finds the way clear.
    await core.collections.apply(plugin, [next, log])
    expect((await core.collections.get(complaintId, one)).data).toMatchObject({ price: 1, level: 1 })
  })

  test('everything a plugin has can be taken along and erased', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const [one = ''] = await insertAll(core.collections, [{ subject: 'a' }, { subject: 'b' }])
    await core.collections.update(complaintId, one, { data: { cost: 4 }, by: 'person:p1' })
    const pages = await Array.fromAsync(exportCollections(core.database.db, plugin))
    expect(pages.flatMap(({ records }) => records.map(({ data }) => data['subject']))).toEqual(['a', 'b'])
    await transact(core.database.db, (tx) => eraseCollections(tx, plugin))
    expect(await countCollections(core.database.db, plugin)).toEqual([])
    expect(await core.database.db.selectFrom('collection_history').selectAll().execute()).toEqual([])
    await core.collections.apply(plugin, [complaints])
    expect(await subjects(core)).toEqual([])
  })
})
