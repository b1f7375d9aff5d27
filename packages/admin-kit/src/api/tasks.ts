import type { InferRequestType, InferResponseType } from 'hono/client'
import { api, at, done, read, until } from './client.ts'

const one = api.tasks[':id{[0-9]+}']
const queue = api['task-queues'][':id']

export type TaskPage = InferResponseType<typeof api.tasks.$get>
export type Task = TaskPage['tasks'][number]
export type TaskDetails = InferResponseType<typeof one.$get>
export type NewTask = InferRequestType<typeof api.tasks.$post>['json']
export type TaskQueue = InferResponseType<(typeof api)['task-queues']['$get']>['queues'][number]
export type TaskQueueSettings = InferRequestType<typeof queue.$put>['json']
export type BusinessHours = InferResponseType<(typeof api)['business-hours']['$get']>

export interface TaskFilter {
  state?: 'open' | 'mine' | 'overdue' | 'done' | 'all' | undefined
  queue?: string | undefined
  customerId?: string | number | undefined
  before?: number | undefined
  limit?: number | undefined
}

export function listTasks(filter: TaskFilter = {}, signal?: AbortSignal): Promise<TaskPage> {
  const { state, queue: inQueue, customerId, before, limit } = filter
  const query = {
    ...(state ? { state } : {}),
    ...(inQueue ? { queue: inQueue } : {}),
    ...(customerId === undefined ? {} : { customerId: String(customerId) }),
    ...(before === undefined ? {} : { before: String(before) }),
    ...(limit === undefined ? {} : { limit: String(limit) }),
  }
  return read(api.tasks.$get({ query }, until(signal)))
}
export const countTasks = (signal?: AbortSignal) => read(api.tasks.counts.$get({}, until(signal)))
export const getTask = (id: string | number, signal?: AbortSignal) =>
  read(one.$get({ param: { id: String(id) } }, until(signal)))
export const createTask = (task: NewTask) => read(api.tasks.$post({ json: task }))

const param = (id: number) => ({ param: { id: String(id) } })

export const claimTask = (id: number) => moveTask(id, 'claim')
export const releaseTask = (id: number) => moveTask(id, 'release')
export const reopenTask = (id: number) => moveTask(id, 'reopen')
const moveTask = (id: number, verb: 'claim' | 'release' | 'reopen') =>
  read(api.tasks[':id{[0-9]+}'][':verb{claim|release|reopen}'].$post({ param: { id: String(id), verb } }))
export const assignTask = (id: number, to: { assignee?: string | null; queue?: string }) =>
  read(one.assign.$post({ ...param(id), json: to }))
export const snoozeTask = (id: number, until_: number | null) =>
  read(one.snooze.$post({ ...param(id), json: { until: until_ } }))
export const finishTask = (id: number, end: { outcome: string; note?: string }) =>
  read(one.finish.$post({ ...param(id), json: end }))
export const cancelTask = (id: number, note?: string) =>
  read(one.cancel.$post({ ...param(id), json: note ? { note } : {} }))

export const listQueues = (signal?: AbortSignal) => read(api['task-queues'].$get({}, until(signal)))
export const createQueue = (settings: TaskQueueSettings) => read(api['task-queues'].$post({ json: settings }))
export const saveQueue = (id: string, settings: TaskQueueSettings) =>
  read(queue.$put({ ...at(id), json: settings }))
export const deleteQueue = (id: string) => done(queue.$delete(at(id)))
export const getBusinessHours = (signal?: AbortSignal) => read(api['business-hours'].$get({}, until(signal)))
export const saveBusinessHours = (hours: BusinessHours) => read(api['business-hours'].$put({ json: hours }))
export const listPeople = (signal?: AbortSignal) => read(api.people.$get({}, until(signal)))
