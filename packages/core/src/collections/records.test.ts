import type { CollectionHooks } from '@huitou/plugin-api'
import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { complaintId, complaints, declare, insertAll } from './collections-fixture.ts'
import type { Filter } from './filter.ts'
import { readHistory } from './history.ts'
import { parseFilter } from './filter.ts'

const by = 'person:p1' as const

/** What each question finds among four records called a to d. */
const questions: [name: string, filter: object, found: string[]][] = [
  ['is', { field: 'state', op: 'is', value: 'closed' }, ['c']],
  ['is not, blank included', { field: 'cost', op: 'is_not', value: 5 }, ['b', 'c', 'd']],
  ['in', { field: 'subject', op: 'in', value: ['a', 'd', 'x'] }, ['a', 'd']],
  ['between', { field: 'cost', op: 'between', value: [5, 9] }, ['a', 'b']],
  ['dates', { field: 'due', op: 'lt', value: '2026-03-10' }, ['a']],
  ['instants in any zone', { field: 'heardAt', op: 'gte', value: '2026-03-01T12:00:00+08:00' }, ['b']],
  ['booleans', { field: 'urgent', op: 'is', value: true }, ['a']],
  ['lists', { field: 'topics', op: 'contains', value: 'tea' }, ['a']],
  ['not', { not: { field: 'urgent', op: 'is', value: true } }, ['b', 'c', 'd']],
  ['wild cards are letters', { field: 'note', op: 'contains', value: '50%' }, ['d']],
  [
    'any',
    {
      any: [
        { field: 'cost', op: 'gt', value: 8 },
        { field: 'note', op: 'is_set' },
      ],
    },
    ['b', 'd'],
  ],
  ['nothing at all', { any: [] }, []],
  ['system fields', { field: 'createdBy', op: 'is', value: 'person:p1' }, ['a', 'b', 'c', 'd']],
]

describe.each(engines)('records on %s', (engine) => {
  test('a record comes back as it was written, with its defaults and its version', async () => {
    await using core = await createTestCore({ engine })
    await core.send({ type: 'identify', userId: 'u1', messageId: 'm1', traits: { name: '苏晴' } })
    await core.settle()
    const [customer] = await core.database.db.selectFrom('profiles').select('customer_id').execute()
    await declare(core, [complaints])
    const written = await core.collections.insert(
      complaintId,
      {
        subject: '杯子碎了',
        due: '2026-03-02',
        heardAt: '2026-03-01T12:00:00+08:00',
        cost: 1_990,
        mood: -0.5,
        urgent: false,
        topics: ['parcel', '破损'],
        place: { city: '上海' },
        customer: customer?.customer_id,
        note: null,
      },
      { by },
    )
    expect(written.version).toBe(1)
    const read = await core.collections.get(complaintId, written.id)
    expect(read).toEqual(written)
    expect(read.data).toMatchObject({
      state: 'open',
      heardAt: '2026-03-01T04:00:00.000Z',
      urgent: false,
      mood: -0.5,
    })
    expect(read.data).not.toHaveProperty('note')
    expect((await core.collections.find(complaintId, { limit: 10 })).records).toEqual([written])
  })

  test('what does not fit is refused field by field, and nothing is written', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const refused = core.collections.insert(
      complaintId,
      { subject: '', cost: 1.5, due: 'tomorrow', code: 'X', customer: 99, colour: 'red', topics: [1] },
      { by },
    )
    await expect(refused).rejects.toMatchObject({ code: 'E_RECORD', status: 422 })
    const fields = await refused.then(
      () => [],
      ({ details }: { details: { fields: string[] } }) => details.fields,
    )
    expect(fields.toSorted()).toEqual(['code', 'colour', 'cost', 'due', 'subject', 'topics.0'])
    await expect(
      core.collections.insert(complaintId, { subject: 'a', customer: 99 }, { by }),
    ).rejects.toMatchObject({ details: { fields: ['customer'] } })
    await expect(
      core.collections.insert(complaintId, { subject: 'a', parent: 'nobody' }, { by }),
    ).rejects.toMatchObject({ details: { fields: ['parent'] } })
    expect(await core.collections.count(complaintId, {})).toBe(0)
  })

  test('of two people who change one record the second is told, and what it was before is kept', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const [id = ''] = await insertAll(core.collections, [{ subject: 'First', cost: 5 }])
    const changed = await core.collections.update(complaintId, id, {
      data: { subject: 'Second', cost: null },
      version: 1,
      by,
    })
    expect(changed).toMatchObject({ version: 2, data: { subject: 'Second', state: 'open' } })
    expect(changed.data).not.toHaveProperty('cost')
    await expect(
      core.collections.update(complaintId, id, { data: { subject: 'Third' }, version: 1, by }),
    ).rejects.toMatchObject({ code: 'E_CONFLICT', status: 409, details: { version: 2 } })
    // Writing what is there already is no change.
    expect(
      (await core.collections.update(complaintId, id, { data: { subject: 'Second' }, by })).version,
    ).toBe(2)
    await expect(
      core.collections.update(complaintId, id, { data: { cost: 3 }, replace: true, by }),
    ).rejects.toMatchObject({ code: 'E_RECORD' })
    const history = await readHistory(core.database.db, await core.collections.definition(complaintId), id)
    expect(history).toMatchObject([
      {
        kind: 'update',
        version: 2,
        changes: [
          { field: 'subject', before: 'First', after: 'Second' },
          { field: 'cost', before: 5, after: null },
        ],
      },
      { kind: 'insert', version: 1 },
    ])
  })

  test('two changes at once both happen when they touch different fields', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const [id = ''] = await insertAll(core.collections, [{ subject: 'Both' }])
    await Promise.all([
      core.collections.update(complaintId, id, { data: { cost: 7 }, by }),
      core.collections.update(complaintId, id, { data: { urgent: true }, by }),
    ])
    expect(await core.collections.get(complaintId, id)).toMatchObject({
      version: 3,
      data: { cost: 7, urgent: true },
    })
  })

  test('a deleted record is gone from lists and search, and can be brought back', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const [one = '', two = ''] = await insertAll(core.collections, [{ subject: '退货' }, { subject: '换货' }])
    expect(await core.collections.delete(complaintId, [one, 'nobody'], { by })).toBe(1)
    await expect(core.collections.get(complaintId, one)).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
    expect(await core.collections.count(complaintId, { search: '退货' })).toBe(0)
    expect(await core.collections.undelete(complaintId, [one, two], { by })).toBe(1)
    expect((await core.collections.find(complaintId, { search: '退货', limit: 5 })).records).toMatchObject([
      { id: one, version: 2 },
    ])
  })

  test('search finds Chinese by any two characters and words by how they begin', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    await insertAll(core.collections, [
      { subject: '快递破损，要求退款' },
      { subject: 'Broken Teapot', note: '上海门店' },
      { subject: "it's 100% OK_'" },
    ])
    const found = async (search: string) => {
      const { records } = await core.collections.find(complaintId, { search, limit: 10 })
      return records.map(({ data }) => String(data['subject']).slice(0, 6))
    }
    expect(await found('退款')).toEqual(['快递破损，要'])
    expect(await found('款')).toEqual(['快递破损，要'])
    expect(await found('款退')).toEqual([])
    expect(await found('tea 门店')).toEqual(['Broken'])
    expect(await found('pot')).toEqual([])
    expect(await found("it's 100%")).toEqual(["it's 1"])
    expect(await found('" OR ***')).toEqual([])
    expect(await found('" -- \'')).toHaveLength(3)
  })

  test('filters ask about every kind of field', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    await insertAll(core.collections, [
      { subject: 'a', cost: 5, due: '2026-03-02', urgent: true, topics: ['tea', 'cup'] },
      { subject: 'b', cost: 9, heardAt: '2026-03-01T04:00:00Z', urgent: false },
      { subject: 'c', state: 'closed' },
      { subject: 'd', note: 'lost 50% of it', topics: [] },
    ])
    for (const [name, filter, expected] of questions) {
      const search = {
        filter: parseFilter(filter),
        sort: { field: 'subject', dir: 'asc' as const },
        limit: 10,
      }
      const { records } = await core.collections.find(complaintId, search)
      expect(
        records.map(({ data }) => data['subject']),
        name,
      ).toEqual(expected)
    }
  })

  test('pages by a field give every record once in both directions, blank ones too', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const costs = [3, null, 1, 3, null, 2, 3]
    await insertAll(
      core.collections,
      costs.map((cost, at) => ({ subject: `s${at}`, cost })),
    )
    for (const dir of ['asc', 'desc'] as const) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await core.collections.find(complaintId, {
          sort: { field: 'cost', dir },
          limit: 2,
          cursor,
        })
        seen.push(
          ...page.records.map(({ data }) => `${String(data['subject'])}:${String(data['cost'] ?? '-')}`),
        )
        ;({ cursor } = page)
      } while (cursor)
      const ascending = ['s1:-', 's4:-', 's2:1', 's5:2', 's0:3', 's3:3', 's6:3']
      expect(seen).toEqual(dir === 'asc' ? ascending : ascending.toReversed())
    }
  })

  test('a question that makes no sense is refused with the reason', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const ask = (filter: object) =>
      core.collections.find(complaintId, { filter: parseFilter(filter), limit: 1 })
    await expect(ask({ field: 'colour', op: 'is', value: 1 })).rejects.toMatchObject({ code: 'E_FIELD' })
    await expect(ask({ field: 'cost', op: 'is', value: 'many' })).rejects.toMatchObject({ code: 'E_FILTER' })
    await expect(ask({ field: 'topics', op: 'is', value: 'a' })).rejects.toMatchObject({ code: 'E_FILTER' })
    expect(() => parseFilter({ sql: '1 = 1' })).toThrow(/cannot be read/)
    expect(() => parseFilter(JSON.parse(`${'{"not":'.repeat(20)}{"any":[]}${'}'.repeat(20)}`))).toThrow(
      /deep/,
    )
    await expect(core.collections.find(complaintId, { cursor: 'x', limit: 1 })).rejects.toMatchObject({
      code: 'E_CURSOR',
    })
    await expect(core.collections.find('acme.desk/none', { limit: 1 })).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
    })
  })

  test('a record follows its customer into a merge', async () => {
    await using core = await createTestCore({ engine })
    await core.send(
      { type: 'identify', userId: 'u1', messageId: 'm1' },
      { type: 'identify', traits: { phone: '13800138000' }, anonymousId: 'a1', messageId: 'm2' },
    )
    await core.settle()
    const customers = await core.database.db
      .selectFrom('profiles')
      .select('customer_id')
      .orderBy('customer_id')
      .execute()
    const [first, second] = customers.map(({ customer_id: id }) => id)
    await declare(core, [complaints])
    const [id = ''] = await insertAll(core.collections, [{ subject: 'mine', customer: second }])
    await core.send({ type: 'identify', userId: 'u1', traits: { phone: '13800138000' }, messageId: 'm3' })
    await core.settle()
    expect((await core.collections.get(complaintId, id)).data['customer']).toBe(first)
    for (const known of [first, second]) {
      const filter: Filter = { field: 'customer', op: 'is', value: known }
      expect(await core.collections.count(complaintId, { filter })).toBe(1)
    }
  })

  test('the plugin may refuse a record, and one that does not answer refuses as well', async () => {
    const hooks: CollectionHooks = {
      validate: ({ data }) => {
        if ((data as { subject: string }).subject === 'crash') throw new TypeError('stumbled')
        return (data as { cost?: number }).cost === 13 ? [{ field: 'cost', message: 'brings bad luck' }] : []
      },
    }
    await using core = await createTestCore({ engine })
    await declare(core, [{ ...complaints, hooks: ['validate'] }], hooks)
    await expect(
      core.collections.insert(complaintId, { subject: 'a', cost: 13 }, { by }),
    ).rejects.toMatchObject({
      code: 'E_RECORD',
      details: { problems: [{ field: 'cost', message: 'brings bad luck' }] },
    })
    await expect(core.collections.insert(complaintId, { subject: 'crash' }, { by })).rejects.toMatchObject({
      code: 'E_RECORD_CHECK',
      status: 503,
    })
    expect(await core.collections.count(complaintId, {})).toBe(0)
  })

  test('the plugin is told of every change, one record in order, until it has understood', async () => {
    const told: string[] = []
    let failing = true
    const hooks: CollectionHooks = {
      afterChange: ({ kind, record, previous }) => {
        const subject = (record ?? previous)?.data['subject']
        if (subject === 'bad' && failing) throw new Error('not now')
        told.push(`${kind} ${String(subject)} ${record?.version ?? '-'}`)
      },
    }
    await using core = await createTestCore({ engine })
    await declare(core, [{ ...complaints, hooks: ['afterChange'] }], hooks)
    const [bad = ''] = await insertAll(core.collections, [{ subject: 'bad' }, { subject: 'good' }])
    await core.collections.update(complaintId, bad, { data: { subject: 'better' }, by })
    await core.settle()
    // The later change of the record waits for the earlier one; the other record does not.
    expect(told).toEqual(['insert good 1'])
    failing = false
    core.clock.set(core.clock.now() + 60_000)
    await core.settle()
    await core.collections.delete(complaintId, [bad], { by })
    await core.settle()
    expect(told).toEqual(['insert good 1', 'insert bad 1', 'update better 2', 'delete better -'])
    expect(await core.database.db.selectFrom('collection_outbox').selectAll().execute()).toEqual([])
  })
})
