import { type ColumnBatch, toNumberVector, valueAt } from '@huitou/plugin-api'
import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { readScope } from '../segments/compile.ts'
import { explainRule } from '../segments/explain.ts'
import { createSegment, getSegment } from '../segments/queries.ts'

const owner = {
  plugin: 'test.score',
  prefix: 'score',
  text: (text: string | { en: string; 'zh-CN': string }) =>
    typeof text === 'string' ? { en: text, 'zh-CN': text } : text,
}
const events = [{ name: 'paid', title: 'Paid', value: 'total', valueType: 'money' as const }]
const features = [
  {
    id: 'spend',
    title: 'Spend',
    events: [{ name: 'paid' }],
    aggregate: 'sum' as const,
    type: 'money' as const,
  },
]
const paid = (userId: string, total: number, messageId = `${userId}-${total}`) => ({
  type: 'track',
  event: 'paid',
  userId,
  messageId,
  properties: { total },
})

/** Ranks customers by what they spent, and calls the upper half rich. */
function addScores(core: TestCore) {
  const runs: number[] = []
  const undoScorer = core.points.scorers.add(owner, 'score.rank', {
    id: 'rank',
    title: 'Rank',
    inputs: ['shop_spend'],
    outputs: [{ id: 'rank', title: 'Rank', type: 'integer' }],
    run(batch: ColumnBatch) {
      runs.push(batch.ids.length)
      const spend = [...batch.ids].map((_, row) => Number(valueAt(batch.columns['shop_spend'] as never, row)))
      return { rank: toNumberVector(spend.map((own) => spend.filter((other) => other > own).length + 1)) }
    },
  })
  const undoSegmenter = core.points.segmenters.add(owner, 'score.wealth', {
    id: 'wealth',
    title: 'Wealth',
    inputs: ['score_rank'],
    labels: [
      { id: 'rich', title: 'Rich' },
      { id: 'other', title: 'Other' },
    ],
    run: (batch: ColumnBatch) =>
      Int16Array.from(batch.ids, (_, row) =>
        Number(valueAt(batch.columns['score_rank'] as never, row)) * 2 <= batch.ids.length ? 0 : 1,
      ),
  })
  return {
    runs,
    undo() {
      undoSegmenter()
      undoScorer()
    },
  }
}

async function scoresOf(core: TestCore) {
  const { rows } = await sql<{
    key: string
    rank: number | null
    wealth: string | null
  }>`select key, score_rank as rank, score_wealth as wealth from profiles order by key`.execute(
    core.database.db,
  )
  return Object.fromEntries(rows.map(({ key, rank, wealth }) => [key, [rank, wealth]]))
}

describe.each(engines)('on %s', (engine) => {
  test('scores become columns, labels become segments, and both follow events', async () => {
    await using core = await createTestCore({ engine })
    core.declare({ events, features })
    addScores(core)
    await core.send(paid('a', 10), paid('b', 20), paid('c', 30), paid('d', 5))
    await core.settle()
    expect((await core.scores.runAll()).map(({ id, changed, error }) => [id, changed, error])).toEqual([
      ['score.rank', 4, null],
      ['score.wealth', 4, null],
    ])
    await core.settle()
    expect(await scoresOf(core)).toEqual({ a: [3, 'other'], b: [2, 'rich'], c: [1, 'rich'], d: [4, 'other'] })
    const members = () =>
      core.database.db.selectFrom('segments').select(['id', 'member_count']).orderBy('id').execute()
    expect(await members()).toEqual([
      { id: 'builtin:score.wealth.other', member_count: 2 },
      { id: 'builtin:score.wealth.rich', member_count: 2 },
    ])
    await core.send(paid('d', 100))
    await core.settle()
    expect((await core.scores.runAll()).map(({ changed }) => changed)).toEqual([4, 2])
    await core.settle()
    expect(await scoresOf(core)).toEqual({ a: [4, 'other'], b: [3, 'other'], c: [2, 'rich'], d: [1, 'rich'] })
    expect((await members()).map(({ member_count }) => member_count)).toEqual([2, 2])
  })

  test('what a condition says becomes a column that rules ask for, in segments, explained and in journeys', async () => {
    await using core = await createTestCore({ engine })
    core.declare({ events, features })
    const add = (id: string, options: object) =>
      core.points.conditions.add(owner, `test.score/${id}`, {
        id,
        title: '大手笔',
        inputs: ['shop_spend'],
        options: { type: 'object', ...options },
        run: ({ ids, columns, options: { from } }) =>
          Uint8Array.from(ids, (_, row) =>
            Number(valueAt(columns['shop_spend'] as never, row)) >= Number(from) * 100 ? 1 : 0,
          ),
      })
    const undo = add('big', { required: ['from'], properties: { from: { type: 'number', default: 15 } } })
    add('unsaid', { required: ['from'], properties: { from: { type: 'number' } } })
    await core.send(paid('a', 10), paid('b', 20))
    await core.settle()
    expect((await core.scores.runAll()).map(({ id, changed, error }) => [id, changed, error])).toEqual([
      ['test.score/big', 2, null],
    ])
    const { columns } = await readScope(core.database.db, await core.brand(), { now: core.clock.now() })
    expect(columns.get('score_is_big')).toMatchObject({
      type: 'boolean',
      owner: 'test.score',
      title: { en: '大手笔', 'zh-CN': '大手笔' },
    })
    expect(columns.has('score_is_unsaid')).toBe(false)
    const rule = { all: [{ column: 'score_is_big', op: 'true' as const }] }
    const { id } = await createSegment(core, { name: 'Big', rule })
    await core.settle()
    const count = async () => (await getSegment(core, id)).count
    expect(await count()).toBe(1)
    const [customer] = await core.database.db
      .selectFrom('profiles')
      .select('customer_id')
      .where('key', '=', 'a')
      .execute()
    const who = customer!.customer_id
    expect(await explainRule(core, rule, who)).toMatchObject({ member: false })
    await core.send(paid('a', 5))
    await core.settle()
    await core.scores.runAll()
    await core.settle()
    expect(await count()).toBe(2)
    undo()
    await core.settle()
    expect((await getSegment(core, id)).error).toMatchObject({ code: 'E_RULE_COLUMN' })
  })

  test('nothing runs again until something has changed: events, the day, or settings', async () => {
    await using core = await createTestCore({ engine })
    core.declare({ events, features })
    const { runs } = addScores(core)
    await core.send(paid('a', 10))
    await core.settle()
    await core.scores.runAll()
    await core.scores.runAll()
    expect(runs).toEqual([1])
    core.clock.advance(86_400_000)
    await core.scores.runAll()
    core.scores.invalidate()
    await core.scores.runAll()
    await core.send(paid('b', 10))
    await core.settle()
    await core.scores.runAll()
    expect(runs).toEqual([1, 1, 1, 2])
  })

  test('a scorer that fails is named and stops no other; one that answers too little is refused', async () => {
    await using core = await createTestCore({ engine })
    core.declare({ events, features })
    core.points.scorers.add(owner, 'score.broken', {
      id: 'broken',
      title: 'Broken',
      inputs: ['key'],
      outputs: [{ id: 'x', title: 'X', type: 'number' }],
      run: () => ({ x: toNumberVector([]) }),
    })
    core.points.scorers.add(owner, 'score.blind', {
      id: 'blind',
      title: 'Blind',
      inputs: ['nowhere'],
      outputs: [{ id: 'y', title: 'Y', type: 'number' }],
      run: () => ({}),
    })
    addScores(core)
    await core.send(paid('a', 10))
    await core.settle()
    const runs = Object.fromEntries((await core.scores.runAll()).map(({ id, error }) => [id, error]))
    expect(runs['score.broken']).toContain('answered 0 values of "x" for 1 customers')
    expect(runs['score.blind']).toContain('"nowhere"')
    expect(runs['score.rank']).toBeNull()
  })

  test('columns of a disabled plugin leave the registry and come back with their values', async () => {
    await using core = await createTestCore({ engine })
    core.declare({ events, features })
    const { undo } = addScores(core)
    await core.send(paid('a', 10))
    await core.settle()
    await core.scores.runAll()
    undo()
    await core.settle()
    const active = () =>
      core.database.db
        .selectFrom('profile_columns')
        .select('name')
        .where('owner', '=', 'test.score')
        .where('active', '=', 1)
        .orderBy('name')
        .execute()
    expect(await active()).toEqual([])
    addScores(core)
    await core.settle()
    expect((await active()).map(({ name }) => name)).toEqual(['score_rank', 'score_wealth'])
    expect(await scoresOf(core)).toEqual({ a: [1, 'other'] })
  })
})
