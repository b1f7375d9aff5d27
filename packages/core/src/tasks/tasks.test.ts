import type { TaskRequest } from '@huitou/plugin-api'
import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import { changeJourneyState, createJourney, enrolmentsOf, publishJourney } from '../journeys/queries.ts'
import type { Actor } from './act.ts'
import { DEFAULT_HOURS } from './business-hours.ts'
import type { NewTask } from './create.ts'
import { createPluginTask } from './plugin-task.ts'
import { getTask, listTasks, type TaskFilter } from './queries.ts'
import { deleteQueue, listQueues, queueSchema, saveQueue, writeBusinessHours } from './queues.ts'
import { Tasks } from './tasks.ts'

/** A Monday at ten. */
const START = '2026-11-23T10:00:00+08:00'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NIGHT = 16 * HOUR
const amei: Actor = { id: 'amei', leads: false }
const bo: Actor = { id: 'bo', leads: false }
const lead: Actor = { id: 'lead', leads: true }

describe.each(engines)('tasks on %s', (engine) => {
  let core: TestCore
  let count = 0

  beforeAll(async () => {
    core = await createTestCore({ engine, now: START })
  })
  afterAll(() => core[Symbol.asyncDispose]())
  beforeEach(async () => {
    core.clock.set(START)
    const { db } = core.database
    for (const table of [
      'tasks',
      'task_events',
      'task_queues',
      'enrolments',
      'journeys',
      'journey_versions',
    ] as const)
      await db.deleteFrom(table).execute()
    await writeBusinessHours(db, DEFAULT_HOURS)
    await core.settle()
  })

  const world = () => ({
    db: core.database.db,
    now: core.clock.now(),
    render: core.tasks.render,
    people: new Map([
      ['amei', '阿美'],
      ['bo', 'Bo'],
    ]),
  })
  const everything = { id: 'lead', seesAll: true }
  const read = (id: number) => getTask(world(), everything, id)
  const list = (filter: Partial<TaskFilter> = {}, viewer = everything) =>
    listTasks(world(), viewer, { state: 'open', limit: 50, ...filter })
  const create = async (task: Partial<NewTask> = {}) =>
    (
      await core.tasks.create({
        kind: 'call',
        title: 'Call',
        createdBy: 'user:lead',
        due: { minutes: 30 },
        ...task,
      })
    ).id
  const queue = (id: string, settings: Record<string, unknown> = {}) =>
    transact(core.database.db, (tx) =>
      saveQueue(tx, { id, settings: queueSchema.parse({ name: id, ...settings }), now: core.clock.now() }),
    )
  const at = async (milliseconds: number) => {
    core.clock.advance(milliseconds)
    await core.settle()
  }
  const kinds = async (id: number) => (await read(id)).history.map(({ kind }) => kind)
  const someone = async (traits: Record<string, unknown> = {}) => {
    const userId = `t${++count}`
    await core.send({ type: 'identify', userId, traits })
    await core.settle()
    const row = await core.database.db
      .selectFrom('identifiers')
      .select('customer_id')
      .where('value', '=', userId)
      .executeTakeFirstOrThrow()
    return { userId, id: row.customer_id }
  }
  const timeline = async (customer: number) =>
    (
      await core.database.db
        .selectFrom('timeline')
        .select('name')
        .where('customer_id', '=', customer)
        .where('name', 'like', 'task.%')
        .orderBy('seq')
        .execute()
    ).map(({ name }) => name)

  test('of two who take a task at once one has it, and the other is told', async () => {
    const id = await create()
    const answers = await Promise.allSettled([
      core.tasks.act(id, { do: 'claim' }, amei),
      core.tasks.act(id, { do: 'claim' }, bo),
    ])
    expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const lost = answers.find((answer) => answer.status === 'rejected')
    const winner = answers[0].status === 'fulfilled' ? 'amei' : 'bo'
    expect(lost?.reason).toMatchObject({ code: 'E_TASK_TAKEN', status: 409, details: { assignee: winner } })
    expect(await read(id)).toMatchObject({ state: 'claimed', assignee: { id: winner } })
    // Of two who finish it, one does.
    const ends = await Promise.allSettled(
      [lead, { ...amei, leads: true }].map((actor) =>
        core.tasks.act(id, { do: 'finish', outcome: 'done' }, actor),
      ),
    )
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await kinds(id)).filter((kind) => kind === 'done')).toHaveLength(1)
  })

  test('a task goes its way: taken, given back, handed over, done with a note, opened again, cancelled', async () => {
    const id = await create({ outcomes: [{ id: 'reached' }, { id: 'busy', title: 'Busy' }] })
    await core.tasks.act(id, { do: 'claim' }, amei)
    await expect(core.tasks.act(id, { do: 'release' }, bo)).rejects.toMatchObject({ code: 'E_TASK_TAKEN' })
    await core.tasks.act(id, { do: 'release' }, amei)
    await core.tasks.act(id, { do: 'assign', assignee: 'bo' }, lead)
    expect(await read(id)).toMatchObject({ state: 'open', assignee: { id: 'bo', name: 'Bo' } })
    await expect(core.tasks.act(id, { do: 'claim' }, amei)).rejects.toMatchObject({ code: 'E_TASK_TAKEN' })
    await core.tasks.act(id, { do: 'claim' }, bo)
    await expect(core.tasks.act(id, { do: 'finish', outcome: 'no' }, bo)).rejects.toMatchObject({
      code: 'E_TASK_OUTCOME',
    })
    await core.tasks.act(id, { do: 'finish', outcome: 'busy', note: 'tomorrow' }, bo)
    expect(await read(id)).toMatchObject({ state: 'done', outcome: 'busy', note: 'tomorrow' })
    await expect(core.tasks.act(id, { do: 'claim' }, bo)).rejects.toMatchObject({ code: 'E_TASK_OVER' })
    await at(HOUR)
    await core.tasks.act(id, { do: 'reopen' }, bo)
    expect(await read(id)).toMatchObject({ state: 'open', outcome: null, remainingBusinessMs: 30 * MINUTE })
    await core.tasks.act(id, { do: 'cancel' }, lead)
    expect(await kinds(id)).toEqual(
      'created claimed released assigned claimed done reopened cancelled'.split(' '),
    )
  })

  test('time runs while people work, and stands while a task is put off', async () => {
    await at(7 * HOUR + 50 * MINUTE)
    const id = await create()
    expect((await read(id)).dueAt).toBe(Date.parse('2026-11-24T09:20:00+08:00'))
    await at(5 * MINUTE)
    await core.tasks.act(id, { do: 'snooze', until: Date.parse('2026-11-24T11:00:00+08:00') }, amei)
    expect(await read(id)).toMatchObject({
      pausedUntil: Date.parse('2026-11-24T11:00:00+08:00'),
      remainingBusinessMs: 25 * MINUTE,
      dueAt: Date.parse('2026-11-24T11:25:00+08:00'),
    })
    await at(NIGHT)
    expect(await read(id)).toMatchObject({ overdue: false, clock: { running: false } })
    await core.tasks.act(id, { do: 'snooze', until: null }, amei)
    expect((await read(id)).dueAt).toBe(core.clock.now() + 25 * MINUTE)
  })

  test('a reminder, overdue, and escalation until somebody does it: each once, on the timeline too', async () => {
    const { id: customerId } = await someone()
    await queue('leaders', { members: ['lead'], assignment: 'rotate' })
    await queue('service', {
      remindBeforeMinutes: 10,
      escalateAfterMinutes: 15,
      escalateTo: { queue: 'leaders' },
    })
    await queue('leaders', {
      members: ['lead'],
      assignment: 'rotate',
      escalateAfterMinutes: 60,
      escalateTo: { user: 'boss' },
    })
    const id = await create({ queue: 'service', customerId })
    await at(20 * MINUTE - 1)
    expect(await kinds(id)).toEqual(['created'])
    await at(1)
    expect(await kinds(id)).toEqual(['created', 'reminded'])
    expect((await list({ state: 'overdue' })).tasks).toEqual([])
    await at(10 * MINUTE)
    expect((await kinds(id)).at(-1)).toBe('overdue')
    await at(1)
    expect((await list({ state: 'overdue' })).counts).toEqual({ open: 1, mine: 0, overdue: 1 })
    await at(15 * MINUTE)
    expect(await read(id)).toMatchObject({ queue: 'leaders', assignee: { id: 'lead' }, escalations: 1 })
    await at(HOUR)
    expect(await read(id)).toMatchObject({ assignee: { id: 'boss' }, escalations: 2 })
    await at(HOUR)
    await at(0)
    expect((await kinds(id)).slice(2)).toEqual(['overdue', 'escalated', 'escalated', 'escalated'])
    await core.tasks.act(id, { do: 'finish', outcome: 'done' }, lead)
    await at(9 * HOUR)
    expect(await timeline(customerId)).toEqual([
      'task.created',
      'task.overdue',
      ...['task.escalated', 'task.escalated', 'task.escalated'],
      'task.done',
    ])
  })

  test('members get tasks in turn, also when many are made at once', async () => {
    await queue('team', { members: ['amei', 'bo'], assignment: 'rotate' })
    const ids = await Promise.all(Array.from({ length: 6 }, () => create({ queue: 'team' })))
    const got = await Promise.all(ids.map(async (id) => (await read(id)).assignee?.id))
    expect(got.toSorted()).toEqual(['amei', 'amei', 'amei', 'bo', 'bo', 'bo'])
  })

  test('agents see the queues they belong to, those open to all, and what they have', async () => {
    await queue('vip', { members: ['amei'] })
    const [vip, open, given] = [
      await create({ queue: 'vip' }),
      await create(),
      await create({ queue: 'vip', assignee: 'bo' }),
    ]
    const seen = async (id: string) =>
      (await list({}, { id, seesAll: false })).tasks.map((task) => task.id).toSorted((a, b) => a - b)
    expect(await seen('amei')).toEqual([vip, open, given])
    expect(await seen('bo')).toEqual([open, given])
    await expect(getTask(world(), { id: 'bo', seesAll: false }, vip)).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
    })
    await transact(core.database.db, (tx) => deleteQueue(tx, 'vip'))
    expect(await seen('bo')).toEqual([vip, open, given])
    expect((await list({ limit: 1, before: vip })).tasks.map(({ id }) => id)).toEqual([open])
  })

  test('open tasks follow new hours: what was worked counts by the old ones', async () => {
    const id = await create({ due: { minutes: 120 } })
    await at(HOUR)
    await writeBusinessHours(core.database.db, {
      ...DEFAULT_HOURS,
      week: DEFAULT_HOURS.week.map((day) => (day.length > 0 ? [{ from: '14:00', to: '18:00' }] : [])),
    })
    await at(0)
    expect(await read(id)).toMatchObject({
      dueAt: Date.parse('2026-11-23T15:00:00+08:00'),
      remainingBusinessMs: HOUR,
      clock: { running: false, changesAt: Date.parse('2026-11-23T14:00:00+08:00') },
    })
  })

  test('words are filled in when they are read, with personal data masked and gaps marked', async () => {
    const { id: customerId } = await someone({ name: '林小满', phone: '+8613900001234' })
    const id = await create({
      customerId,
      title: 'Call {{customer.t_name}}',
      script: '{{customer.t_name}} {{customer.t_phone}} {{event.order}} {{event.gift}}',
      data: { event: { order: 'A1' } },
    })
    expect(await read(id)).toMatchObject({
      title: 'Call 林小满',
      script: '林小满 139****1234 A1 ［…］',
      missing: ['event.gift'],
      customer: { name: '林小满' },
    })
  })

  test('nobody has to do anything about a customer who is not there any more', async () => {
    const { id: customerId } = await someone()
    const id = await create({ customerId })
    await core.settle()
    await core.database.db.deleteFrom('identifiers').where('customer_id', '=', customerId).execute()
    await at(HOUR)
    expect(await read(id)).toMatchObject({ state: 'cancelled', customer: null })
  })

  test('a queue refuses what makes no sense, and a task can name one that nobody has set up', async () => {
    await expect(queue('a', { escalateTo: { queue: 'a' } })).rejects.toMatchObject({
      code: 'E_TASK_ESCALATION',
    })
    await expect(queue('a', { assignment: 'rotate' })).rejects.toMatchObject({ code: 'E_TASK_ROTATION' })
    await expect(queue('a', { escalateTo: { queue: 'b' } })).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
    await create({ queue: '售后' })
    expect((await listQueues(core.database.db)).map(({ id }) => id)).toEqual(['default', '售后'])
    const twice = [await create({ key: 'k' }), await create({ key: 'k' })]
    expect(twice[0]).toBe(twice[1])
  })

  test('of nodes that look at the same moment one does what is due', async () => {
    const nodes = Array.from(
      { length: 3 },
      () => new Tasks(core, { render: core.tasks.render, finishStep: async () => false }),
    )
    const ids = await Promise.all(Array.from({ length: 20 }, () => create()))
    core.clock.advance(HOUR)
    await Promise.all(nodes.map((node) => node.advance()))
    for (const id of ids) expect(await kinds(id)).toEqual(['created', 'overdue'])
  })

  test('a plugin makes a task once for a key, about somebody who is there', async () => {
    const { id: customerId } = await someone()
    const make = (request: Partial<TaskRequest>) =>
      createPluginTask(core, 'test.shop', {
        key: '1',
        title: 'Call {{who}}',
        data: { who: 'Lin' },
        ...request,
      })
    const { id, created } = await make({ customerId, queue: '售后', dueMinutes: 3 })
    expect([created, await make({ customerId })]).toEqual([true, { id, created: false }])
    expect(await read(id)).toMatchObject({
      title: 'Call Lin',
      queue: '售后',
      createdBy: 'plugin:test.shop',
      dueAt: core.clock.now() + 3 * MINUTE,
    })
    await expect(make({ key: '2', customerId: 999_999 })).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
    await expect(make({ key: '3', title: '' })).rejects.toMatchObject({ code: 'E_INVALID' })
    await expect(make({ key: '4', data: { a: 'x'.repeat(20_000) } })).rejects.toMatchObject({
      code: 'E_INVALID',
    })
  })

  describe('of journeys', () => {
    const call = {
      holdout: { percent: 0 },
      trigger: { type: 'event', event: 'payment.failed' },
      exits: [{ event: 'order.paid' }],
      start: 'call',
      nodes: {
        call: {
          type: 'task',
          kind: 'call',
          title: 'Payment of {{event.order}} failed',
          queue: 'service',
          script: 'Hello',
          dueMinutes: 3,
          outcomes: { reached: 'thanks' },
          outcomeTitles: { reached: { en: 'Reached', 'zh-CN': '已接通' }, gone: 'Gone' },
          timeout: { hours: 1 },
          otherwise: 'sorry',
        },
        thanks: { type: 'tag', tag: 'thanked' },
        sorry: { type: 'tag', tag: 'sorry' },
      },
    }
    const start = async () => {
      const { id } = await createJourney(core, { name: 'Payment', definition: call })
      await publishJourney(core, id, 'test')
      return id
    }
    const happens = async (userId: string, event: string) => {
      await core.send({
        type: 'track',
        event,
        userId,
        properties: { order: 'A1' },
        timestamp: new Date(core.clock.now()).toISOString(),
      })
      await core.settle()
    }
    const only = async (customerId: number) =>
      (await list({ state: 'all', customerId })).tasks[0] as Awaited<ReturnType<typeof list>>['tasks'][0]
    const stand = async (customerId: number) =>
      (await enrolmentsOf(core.database.db, customerId)).map(({ node, state }) => `${node} ${state}`)

    test('a step becomes a task, and its end lets the journey go on', async () => {
      const journey = await start()
      const who = await someone()
      await happens(who.userId, 'payment.failed')
      const task = await only(who.id)
      expect(task).toMatchObject({
        title: 'Payment of A1 failed',
        queue: 'service',
        script: 'Hello',
        journey: { id: journey, name: 'Payment' },
        dueAt: core.clock.now() + 3 * MINUTE,
        outcomes: [
          { id: 'reached', title: { en: 'Reached' } },
          { id: 'gone', title: 'Gone' },
        ],
      })
      await core.tasks.act(task.id, { do: 'finish', outcome: 'reached' }, amei)
      await core.settle()
      expect(await stand(who.id)).toEqual(['thanks done'])
    })

    test('who leaves takes the task along: by an exit, by time, by being cancelled, by hand', async () => {
      const journey = await start()
      const [paid, late, cancelled, held] = [
        await someone(),
        await someone(),
        await someone(),
        await someone(),
      ]
      for (const { userId } of [paid, late, cancelled, held]) await happens(userId, 'payment.failed')
      await happens(paid.userId, 'order.paid')
      expect((await only(paid.id)).state).toBe('cancelled')
      await core.tasks.act((await only(cancelled.id)).id, { do: 'cancel' }, lead)
      await core.settle()
      expect(await stand(cancelled.id)).toEqual(['sorry done'])
      await changeJourneyState(core, journey, 'paused')
      await core.tasks.act((await only(held.id)).id, { do: 'finish', outcome: 'gone' }, amei)
      await changeJourneyState(core, journey, 'live')
      await at(HOUR)
      expect(await stand(held.id)).toEqual(['call done'])
      expect((await only(late.id)).state).toBe('cancelled')
      expect(await stand(late.id)).toEqual(['sorry done'])
    })
  })

  test.runIf(engine === 'sqlite')('what is due is found by an index, and by nothing else', async () => {
    const { rows } = await sql<{ detail: string }>`
      explain query plan select id from tasks where next_at <= 1 order by next_at limit 10`.execute(
      core.database.db,
    )
    expect(rows.map(({ detail }) => detail)).toEqual([
      'SEARCH tasks USING COVERING INDEX tasks_next (next_at<?)',
    ])
  })
})
