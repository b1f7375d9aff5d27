import { engines, type TestCore } from '@huitou/testing'
import { type AliasableExpression, expressionBuilder, type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Reader } from '../points/grants.ts'
import { PluginQueries } from './run-query.ts'
import { openShop, plain, reader, treesOf } from '../../test/query-fixture.ts'
import { PublishedViews } from './views.ts'

/** Text at a path inside a JSON column, whose shape the type of an untyped Kysely does not know. */
function textIn(column: string, ...steps: (string | number)[]): AliasableExpression<string> {
  let path: any = expressionBuilder<any, any>().ref(column, '->>')
  for (const step of steps) path = typeof step === 'number' ? path.at(step) : path.key(step)
  return path as AliasableExpression<string>
}

const textAt = (...steps: (string | number)[]) => textIn('properties', ...steps)

describe.each(engines)('on %s', (engine) => {
  let core: TestCore
  let queries: PluginQueries
  beforeAll(async () => {
    core = await openShop(engine)
    queries = new PluginQueries(core, new PublishedViews(core))
  })
  afterAll(async () => {
    queries.close()
    await core[Symbol.asyncDispose]()
  })

  const run = (build: (db: Kysely<any>) => { toOperationNode(): unknown }, as: Reader = reader) =>
    queries.run(as, plain(build(treesOf())))

  test('columns, filters, order and limits work as in any Kysely', async () => {
    const rows = await run((db) =>
      db
        .selectFrom('profiles as p')
        .select(['p.key', 'shop_spend as spend'])
        .where('t_city', 'in', ['上海', '北京'])
        .where((eb) => eb.or([eb('shop_spend', '>=', 2_000), eb('p.key', 'like', 'z%')]))
        .orderBy('spend', 'desc')
        .limit(5),
    )
    expect(rows).toEqual([
      { key: 'c', spend: 3_000 },
      { key: 'b', spend: 2_000 },
    ])
  })

  test('groups, joins, subqueries, CTEs, windows and unions work', async () => {
    const byCity = await run((db) =>
      db
        .selectFrom('profiles')
        .leftJoin('timeline as t', (join) =>
          join.onRef('t.customer_id', '=', 'profiles.customer_id').on('t.name', '=', 'order.paid'),
        )
        .select((eb) => [
          'profiles.t_city as city',
          eb.fn.countAll().as('orders'),
          eb.fn.sum('t.value').as('value'),
          eb.fn.count('profiles.customer_id').distinct().as('customers'),
        ])
        .groupBy('city')
        .having((eb) => eb(eb.fn.countAll(), '>', 0))
        .orderBy('value', 'desc')
        .orderBy('orders', 'desc'),
    )
    expect(byCity[0]).toEqual({ city: '上海', orders: 2, value: 3_000, customers: 2 })
    const best = await run((db) =>
      db
        .with('ranked', (cte) =>
          cte
            .selectFrom('profiles')
            .select((eb) => [
              'key',
              't_city',
              eb.fn
                .agg('row_number')
                .over((over) => over.partitionBy('t_city').orderBy('shop_spend', 'desc'))
                .as('place'),
            ])
            .where('t_city', 'is not', null),
        )
        .selectFrom('ranked')
        .selectAll()
        .where('place', '=', 1)
        .orderBy('key'),
    )
    expect(best).toEqual([
      { key: 'b', t_city: '上海', place: 1 },
      { key: 'c', t_city: '北京', place: 1 },
    ])
    const united = await run((db) =>
      db
        .selectFrom('profiles')
        .select('key')
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('timeline as t')
              .select('t.seq')
              .whereRef('t.customer_id', '=', 'profiles.customer_id')
              .where('t.value', '>', 2_500),
          ),
        )
        .union(db.selectFrom('profiles').select('key').where('shop_spend', '=', 500))
        .orderBy('key'),
    )
    expect(united).toEqual([{ key: 'c' }, { key: 'd' }])
  })

  test('everything selected is what was granted, and phones are nowhere', async () => {
    const rows = await run((db) => db.selectFrom('profiles').selectAll().orderBy('customer_id'))
    expect(Object.keys(rows[0] ?? {}).sort()).toEqual(
      ['customer_id', 'first_seen_at', 'key', 'shop_spend', 't_city'].sort(),
    )
    expect(rows.at(-1)?.['key']).toMatch(/^#\d+$/)
    const events = await run((db) => db.selectFrom('timeline').selectAll().orderBy('seq'))
    expect(new Set(events.map(({ name }) => name))).toEqual(new Set(['order.paid']))
    expect(JSON.parse(events[0]?.['properties'] as string)).toEqual({
      total: 10,
      sku: 'sku-a',
      buyer: { vip: true },
      items: [{ n: 10 }],
      rooms: { number: 7 },
    })
    expect(JSON.stringify([rows, events])).not.toMatch(/1[38]00|13900/)
  })

  test('JSON, case, casts and text functions give the same on both databases', async () => {
    const rows = await run((db) =>
      db
        .selectFrom('timeline')
        .select((eb) => [
          textAt('sku').as('sku'),
          textAt('items', 0, 'n').as('n'),
          eb.cast(textAt('total'), 'integer').as('total'),
          eb.cast(textAt('sku'), 'integer').as('none'),
          eb.case().when('value', '>', 1_500).then('much').else('little').end().as('size'),
          eb('value', '/', 0).as('nothing'),
          eb.fn('upper', [eb.fn('substr', [eb.ref('name'), eb.val(1), eb.val(5)])]).as('up'),
        ])
        .where('value', '>=', 1_000)
        .where((eb) => eb(textAt('sku'), 'ilike', 'SKU-_'))
        .orderBy('value')
        .limit(2),
    )
    expect(rows).toEqual([
      { sku: 'sku-a', n: '10', total: 10, none: null, size: 'little', nothing: null, up: 'ORDER' },
      { sku: 'sku-b', n: '20', total: 20, none: null, size: 'much', nothing: null, up: 'ORDER' },
    ])
  })

  test('a query may be long, and not endless', async () => {
    const either = (length: number) => (db: Kysely<any>) =>
      db
        .selectFrom('profiles')
        .select('key')
        .where((eb) => eb.or(Array.from({ length }, (_, index) => eb('shop_spend', '=', index * 1_000))))
        .where(
          'customer_id',
          'not in',
          Array.from({ length: 4_500 }, (_, index) => 1_000 + index),
        )
        .orderBy('key')
    expect(await run(either(200))).toEqual([{ key: 'a' }, { key: 'b' }, { key: 'c' }])
    await expect(run(either(300))).rejects.toMatchObject({ code: 'E_QUERY' })
    let nested = treesOf().selectFrom('profiles').select('key')
    for (let level = 0; level < 120; level++)
      nested = treesOf().selectFrom(nested.as('inner')).select('key') as never
    await expect(queries.run(reader, plain(nested))).rejects.toMatchObject({ code: 'E_QUERY' })
  })

  test('identifiers are those of granted kinds', async () => {
    const query = (db: Kysely<any>) => db.selectFrom('identifiers').select(['kind', 'value']).orderBy('value')
    await expect(run(query)).rejects.toMatchObject({ code: 'E_PERMISSION' })
    const rows = await run(query, {
      ...reader,
      permissions: { ...reader.permissions, 'profile.pii': ['phone'] },
    })
    expect(rows).toHaveLength(5)
    expect(new Set(rows.map(({ kind }) => kind))).toEqual(new Set(['phone']))
  })

  test.each<[string, (db: Kysely<any>) => { toOperationNode(): unknown }]>([
    ['select', (db) => db.selectFrom('profiles').select('t_phone')],
    ['qualified', (db) => db.selectFrom('profiles as p').select('p.t_phone as x')],
    ['where', (db) => db.selectFrom('profiles').select('key').where('t_phone', 'like', '138%')],
    ['order', (db) => db.selectFrom('profiles').select('key').orderBy('t_phone')],
    [
      'group',
      (db) =>
        db
          .selectFrom('profiles')
          .select((eb) => eb.fn.countAll().as('n'))
          .groupBy('t_phone'),
    ],
    ['aggregate', (db) => db.selectFrom('profiles').select((eb) => eb.fn.max('t_phone').as('n'))],
    [
      'having',
      (db) =>
        db
          .selectFrom('profiles')
          .select('t_city')
          .groupBy('t_city')
          .having((eb) => eb(eb.fn.count('t_phone'), '>', 1)),
    ],
    [
      'join',
      (db) =>
        db.selectFrom('profiles as a').innerJoin('profiles as b', 'a.t_phone', 'b.t_phone').select('a.key'),
    ],
    [
      'subquery',
      (db) =>
        db
          .selectFrom('segments as s')
          .select('s.id')
          .where((eb) => eb.exists(eb.selectFrom('profiles').select('key').where('t_phone', '=', '1'))),
    ],
    [
      'correlated',
      (db) =>
        db
          .selectFrom('profiles as p')
          .select((eb) => eb.selectFrom('segments').select('p.t_phone as x').limit(1).as('leak')),
    ],
    [
      'cte',
      (db) =>
        db
          .with('c', (cte) => cte.selectFrom('profiles').select('t_phone as x'))
          .selectFrom('c')
          .select('x'),
    ],
    [
      'window',
      (db) =>
        db.selectFrom('profiles').select((eb) =>
          eb.fn
            .agg('rank')
            .over((over) => over.orderBy('t_phone'))
            .as('place'),
        ),
    ],
    [
      'filter',
      (db) =>
        db
          .selectFrom('profiles')
          .select((eb) => eb.fn.countAll().filterWhere('t_phone', 'is not', null).as('n')),
    ],
    [
      'case',
      (db) =>
        db.selectFrom('profiles').select((eb) => eb.case().when('t_phone', '=', '1').then(1).end().as('n')),
    ],
    ['json', (db) => db.selectFrom('profiles').select(() => textIn('t_phone', 'x').as('n'))],
    [
      'union',
      (db) =>
        db.selectFrom('profiles').select('key').union(db.selectFrom('profiles').select('t_phone as key')),
    ],
  ])('a phone is refused in %s', async (_, build) => {
    await expect(run(build)).rejects.toMatchObject({
      code: 'E_PERMISSION',
      details: { pluginId: 'test.reader', permission: 'profile.pii', name: 'phone' },
    })
  })

  test.each<[string, (db: Kysely<any>) => { toOperationNode(): unknown }]>([
    ['raw SQL', (db) => db.selectFrom('profiles').select(sql`t_phone`.as('x'))],
    ['raw table', (db) => db.selectFrom(sql`profiles`.as('p')).selectAll()],
    ['another table', (db) => db.selectFrom('events').selectAll()],
    ['the schema', (db) => db.selectFrom('sqlite_master').selectAll()],
    ['a schema’s table', (db) => db.selectFrom('main.profiles').selectAll()],
    ['a delete', (db) => db.deleteFrom('profiles')],
    ['an insert', (db) => db.insertInto('profiles').values({ key: 'x' })],
    [
      'a delete in a CTE',
      (db) =>
        db
          .with('d', (cte) => cte.deleteFrom('profiles').returningAll())
          .selectFrom('d')
          .selectAll(),
    ],
    ['for update', (db) => db.selectFrom('profiles').select('key').forUpdate()],
    ['a function', (db) => db.selectFrom('profiles').select((eb) => eb.fn('pg_read_file', ['key']).as('x'))],
    [
      'growing text',
      (db) => db.selectFrom('profiles').select((eb) => eb('key', '||', eb.ref('key')).as('x')),
    ],
    [
      'a recursive CTE',
      (db) =>
        db
          .withRecursive('r', (cte) => cte.selectFrom('profiles').select('key'))
          .selectFrom('r')
          .selectAll(),
    ],
    ['too many rows', (db) => db.selectFrom('profiles').select('key').limit(10_001)],
    [
      'a CTE column list',
      (db) =>
        db
          .with('c(x)', (cte) => cte.selectFrom('profiles').select('key as x'))
          .selectFrom('c')
          .select('x'),
    ],
    [
      'a lateral join',
      (db) =>
        db
          .selectFrom('profiles')
          .innerJoinLateral(
            (eb) => eb.selectFrom('segments').select('id').as('s'),
            (join) => join.onTrue(),
          )
          .select('key'),
    ],
    [
      'an explain',
      (db) => ({
        toOperationNode: () => ({
          ...db.selectFrom('profiles').select('key').toOperationNode(),
          explain: { kind: 'ExplainNode' },
        }),
      }),
    ],
  ])('%s is refused', async (_, build) => {
    await expect(run(build)).rejects.toMatchObject({ code: 'E_QUERY' })
  })

  test('a query that would run for ever is ended, and the next one runs', async () => {
    const started = performance.now()
    const endless = plain(
      treesOf()
        .selectFrom([
          'timeline as a',
          'timeline as b',
          'timeline as c',
          'timeline as d',
          'timeline as e',
          'timeline as f',
        ])
        .innerJoin('timeline as g', (join) => join.onTrue())
        .innerJoin('timeline as h', (join) => join.onTrue())
        .innerJoin('timeline as i', (join) => join.onTrue())
        .innerJoin('timeline as j', (join) => join.onTrue())
        .innerJoin('timeline as k', (join) => join.onTrue())
        .innerJoin('timeline as l', (join) => join.onTrue())
        .innerJoin('timeline as m', (join) => join.onTrue())
        .innerJoin('timeline as n', (join) => join.onTrue())
        .select((eb) => eb.fn.sum('a.value').as('x')),
    )
    await expect(queries.run(reader, endless, { deadlineMs: 500 })).rejects.toMatchObject({
      code: 'E_QUERY_DEADLINE',
    })
    const abort = new AbortController()
    const aborted = queries.run(reader, endless, { signal: abort.signal })
    setTimeout(() => abort.abort(new Error('nobody waits')), 300)
    await expect(aborted).rejects.toThrow('nobody waits')
    expect(await run((db) => db.selectFrom('profiles').select((eb) => eb.fn.countAll().as('n')))).toEqual([
      { n: 5 },
    ])
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  test('what the database says of values does not reach the plugin', async () => {
    const failing = run((db) => db.selectFrom('profiles').select((eb) => eb.fn.sum('nothing_here').as('x')))
    await expect(failing).rejects.toMatchObject({ code: 'E_QUERY' })
    if (engine === 'sqlite') return
    const mistyped = await run((db) =>
      db.selectFrom('profiles').select('key').where('shop_spend', '=', 'a'),
    ).catch((error: unknown) => error)
    expect(mistyped).toMatchObject({ code: 'E_QUERY', message: 'The database cannot run this query' })
    expect((mistyped as Error).cause).toBeUndefined()
  })
})
