import { notFound } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { transact } from '../db/database.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { audit } from '../people/audit.ts'
import type { Auth, User } from '../people/auth.ts'
import { businessHoursSchema } from './business-hours.ts'
import { countTasks, getTask, listTasks, TASK_LISTS, type Viewer } from './queries.ts'
import {
  deleteQueue,
  listQueues,
  queueSchema,
  readBusinessHours,
  saveQueue,
  writeBusinessHours,
} from './queues.ts'
import type { TaskAction, Tasks } from './tasks.ts'
import type { TaskWorld } from './view.ts'

const TaskId = z.object({ id: z.coerce.number().int().positive() })
const QueueId = z.object({ id: z.string().min(1).max(200) })
const Filter = z.object({
  state: z.enum(TASK_LISTS).default('open'),
  queue: z.string().max(200).optional(),
  assignee: z.string().max(100).optional(),
  customerId: z.coerce.number().int().positive().optional(),
  journeyId: z.string().max(60).optional(),
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})
const text = (max: number) => z.string().trim().min(1).max(max)
const note = z.string().trim().max(4_000).optional()
const NewTask = z.object({
  kind: text(200).default('task'),
  title: text(500),
  queue: text(200).optional(),
  assignee: text(100).optional(),
  customerId: z.int().positive().optional(),
  script: text(4_000).optional(),
  outcomes: z
    .array(z.object({ id: text(60), title: text(200).optional() }))
    .max(20)
    .optional(),
  /** Business minutes until it has to be done. */
  dueMinutes: z.int().min(1).max(1_000_000).optional(),
  /** Or the moment itself. */
  dueAt: z.int().positive().optional(),
})
const DAY_OF_WORK = 480

const tags = ['tasks']

interface RouteDeps extends Pick<CoreContext, 'database' | 'clock'> {
  tasks: Tasks
  auth: Pick<Auth, 'listUsers'>
  wake?(): void
}

/** Mounted at `/api/tasks`. Agents see the queues they belong to and what they have; others see everything. */
export function taskRoutes(deps: RouteDeps) {
  const { database, tasks } = deps
  const world = () => worldOf(deps)
  const act = async (id: number, action: TaskAction, user: User) => {
    // What somebody may not see is not there for them either.
    await getTask(await world(), toViewer(user), id)
    await tasks.act(id, action, { id: user.id, leads: leads(user) })
    return await getTask(await world(), { ...toViewer(user), seesAll: true }, id)
  }
  return new Hono<SignedIn>()
    .get(
      '/',
      describeRoute({ tags, summary: 'Work for people, the most urgent first' }),
      validate('query', Filter),
      async (c) =>
        answerJson(c, await listTasks(await world(), toViewer(c.get('user')), c.req.valid('query'))),
    )
    .get('/counts', describeRoute({ tags, summary: 'How many tasks are open, mine, overdue' }), async (c) =>
      c.json(await countTasks({ db: database.db, now: deps.clock.now() }, toViewer(c.get('user')))),
    )
    .post('/', describeRoute({ tags, summary: 'A new task' }), validate('json', NewTask), async (c) => {
      const { dueMinutes, dueAt, ...task } = c.req.valid('json')
      const user = c.get('user')
      await requirePeople(deps, task.assignee)
      if (task.queue !== undefined) await requireQueue(deps, task.queue)
      if (task.customerId !== undefined) await requireCustomer(deps, task.customerId)
      const { id } = await tasks.create({
        ...task,
        createdBy: `user:${user.id}`,
        due: dueAt === undefined ? { minutes: dueMinutes ?? DAY_OF_WORK } : { at: dueAt },
      })
      return answerJson(c, await getTask(await world(), { id: user.id, seesAll: true }, id), 201)
    })
    .get(
      '/:id{[0-9]+}',
      describeRoute({ tags, summary: 'One task with its history' }),
      validate('param', TaskId),
      async (c) =>
        answerJson(c, await getTask(await world(), toViewer(c.get('user')), c.req.valid('param').id)),
    )
    .post(
      '/:id{[0-9]+}/:verb{claim|release|reopen}',
      describeRoute({ tags, summary: 'Take a task on, give it back, or open it again' }),
      validate('param', TaskId.extend({ verb: z.enum(['claim', 'release', 'reopen']) })),
      async (c) => {
        const { id, verb } = c.req.valid('param')
        return answerJson(c, await act(id, { do: verb }, c.get('user')))
      },
    )
    .post(
      '/:id{[0-9]+}/assign',
      describeRoute({ tags, summary: 'Give a task to a person, to a queue, or to both' }),
      validate('param', TaskId),
      validate(
        'json',
        z
          .object({ assignee: text(100).nullable().optional(), queue: text(200).optional() })
          .refine(({ assignee, queue }) => assignee !== undefined || queue !== undefined, 'to whom'),
      ),
      async (c) => {
        const to = c.req.valid('json')
        await requirePeople(deps, to.assignee ?? undefined)
        return answerJson(c, await act(c.req.valid('param').id, { do: 'assign', ...to }, c.get('user')))
      },
    )
    .post(
      '/:id{[0-9]+}/snooze',
      describeRoute({ tags, summary: 'Put a task off until a moment; null goes on now' }),
      validate('param', TaskId),
      validate('json', z.object({ until: z.int().positive().nullable() })),
      async (c) => {
        const { until } = c.req.valid('json')
        return answerJson(c, await act(c.req.valid('param').id, { do: 'snooze', until }, c.get('user')))
      },
    )
    .post(
      '/:id{[0-9]+}/finish',
      describeRoute({ tags, summary: 'Say how a task ended; its journey goes on from there' }),
      validate('param', TaskId),
      validate('json', z.object({ outcome: text(60), note })),
      async (c) =>
        answerJson(
          c,
          await act(c.req.valid('param').id, { do: 'finish', ...c.req.valid('json') }, c.get('user')),
        ),
    )
    .post(
      '/:id{[0-9]+}/cancel',
      describeRoute({ tags, summary: 'Nobody has to do it any more' }),
      validate('param', TaskId),
      validate('json', z.object({ note })),
      async (c) =>
        answerJson(
          c,
          await act(c.req.valid('param').id, { do: 'cancel', ...c.req.valid('json') }, c.get('user')),
        ),
    )
}

/** Mounted at `/api/task-queues`. */
export function taskQueueRoutes(deps: RouteDeps) {
  const { database, clock } = deps
  const noteChange = async (userId: string, action: string, subject: string) => {
    await audit(database.db, clock, { userId, action, subject })
    deps.wake?.()
  }
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'Queues of tasks, and who belongs to them' }), async (c) =>
      answerJson(c, { queues: await listQueues(database.db) }),
    )
    .post('/', describeRoute({ tags, summary: 'A new queue' }), validate('json', queueSchema), async (c) => {
      const settings = c.req.valid('json')
      await requireSettings(deps, settings)
      const queue = await transact(database.db, (tx) => saveQueue(tx, { settings, now: clock.now() }))
      await noteChange(c.get('user').id, 'task-queue.create', queue.id)
      return answerJson(c, queue, 201)
    })
    .put(
      '/:id',
      describeRoute({ tags, summary: 'Other members, hours or escalation; open tasks follow' }),
      validate('param', QueueId),
      validate('json', queueSchema),
      async (c) => {
        const { id } = c.req.valid('param')
        const settings = c.req.valid('json')
        await requireQueue(deps, id)
        await requireSettings(deps, settings)
        const queue = await transact(database.db, (tx) => saveQueue(tx, { id, settings, now: clock.now() }))
        await noteChange(c.get('user').id, 'task-queue.change', id)
        return answerJson(c, queue)
      },
    )
    .delete(
      '/:id',
      describeRoute({ tags, summary: 'Take a queue away; what is open in it goes to the default one' }),
      validate('param', QueueId),
      async (c) => {
        const { id } = c.req.valid('param')
        await transact(database.db, (tx) => deleteQueue(tx, id))
        await noteChange(c.get('user').id, 'task-queue.delete', id)
        return c.body(null, 204)
      },
    )
}

/** Mounted at `/api/business-hours`. */
export function businessHoursRoutes(deps: RouteDeps) {
  const { database, clock } = deps
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'When people work' }), async (c) =>
      answerJson(c, await readBusinessHours(database.db)),
    )
    .put(
      '/',
      describeRoute({ tags, summary: 'Other hours; open tasks follow' }),
      validate('json', businessHoursSchema),
      async (c) => {
        const hours = await writeBusinessHours(database.db, c.req.valid('json'))
        await audit(database.db, clock, {
          userId: c.get('user').id,
          action: 'business-hours.change',
          subject: 'business-hours',
        })
        deps.wake?.()
        return answerJson(c, hours)
      },
    )
}

async function worldOf({ database, clock, tasks, auth }: RouteDeps): Promise<TaskWorld> {
  const users = await auth.listUsers()
  return {
    db: database.db,
    now: clock.now(),
    render: tasks.render,
    people: new Map(users.map(({ id, name }) => [id, name])),
  }
}

function leads({ role }: User): boolean {
  return role === 'owner' || role === 'operator'
}

function toViewer(user: User): Viewer {
  return { id: user.id, seesAll: user.role !== 'agent' }
}

async function requirePeople({ auth }: RouteDeps, ...ids: (string | undefined)[]): Promise<void> {
  const wanted = ids.filter((id) => id !== undefined)
  if (wanted.length === 0) return
  const known = new Set((await auth.listUsers()).map(({ id }) => id))
  const missing = wanted.find((id) => !known.has(id))
  if (missing !== undefined) throw notFound('Person', missing)
}

async function requireQueue({ database }: RouteDeps, id: string): Promise<void> {
  const queues = await listQueues(database.db)
  if (!queues.some((queue) => queue.id === id)) throw notFound('Queue', id)
}

async function requireSettings(deps: RouteDeps, { members, escalateTo }: z.infer<typeof queueSchema>) {
  await requirePeople(deps, ...members, ...(escalateTo && 'user' in escalateTo ? [escalateTo.user] : []))
}

async function requireCustomer({ database }: RouteDeps, id: number): Promise<void> {
  const row = await database.db.selectFrom('identifiers').select('id').where('id', '=', id).executeTakeFirst()
  if (!row) throw notFound('Customer', id)
}
