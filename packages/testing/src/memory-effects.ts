import { toNumberVector, toTextVector, userError } from '@huitou/plugin-api'
import type { CollectionRecord, ColumnBatch, JsonValue, SourceEvent, TaskRequest } from '@huitou/plugin-api'
import type { EffectHandlers, FetchAnswer, LogEntry } from '@huitou/plugin-host'

/** What there is besides the plugin: customers by column, and servers that answer. */
export interface MemoryWorld {
  /** Values row by row; row 0 is customer 1. */
  columns?: Record<string, (number | string | null)[]>
  fetch?(
    url: string,
    init: { method?: string; body?: string | Uint8Array },
  ): FetchAnswer | Promise<FetchAnswer>
}

/** The server's side of a plugin's calls, kept in memory. */
export interface MemoryEffects extends EffectHandlers {
  readonly logged: LogEntry[]
  readonly appended: SourceEvent[]
  readonly stored: Map<string, JsonValue>
  readonly tags: Map<number, Set<string>>
  readonly tasks: TaskRequest[]
}

/** A server without customers' events, whose collections and storage begin empty. */
export function memoryEffects(world: MemoryWorld, clock: { now(): number }): MemoryEffects {
  const logged: LogEntry[] = []
  const appended: SourceEvent[] = []
  const stored = new Map<string, JsonValue>()
  const secrets = new Map<string, string>()
  const tags = new Map<number, Set<string>>()
  const tasks: TaskRequest[] = []
  const tagsOf = (id: number) => {
    const found = tags.get(id) ?? new Set<string>()
    tags.set(id, found)
    return found
  }
  return {
    logged,
    appended,
    stored,
    tags,
    tasks,
    'customers.read': ({ columns }) => batchOf(world, columns),
    'customers.aggregate': ({ groupBy = [], measures }) =>
      groupBy.length > 0 ? [] : [Object.fromEntries(Object.keys(measures).map((name) => [name, 0]))],
    'customers.find': ({ key }) =>
      'id' in key && key.id <= size(world) ? { id: key.id, key: `c${key.id}` } : undefined,
    'customers.tag': ({ customerIds, tag }) => customerIds.forEach((id) => void tagsOf(id).add(tag)),
    'customers.untag': ({ customerIds, tag }) => customerIds.forEach((id) => void tagsOf(id).delete(tag)),
    'events.perCustomer': () => ({
      ids: new Float64Array(),
      columns: {
        key: toTextVector([]),
        count: toNumberVector([]),
        value: toNumberVector([]),
        first: toNumberVector([]),
        last: toNumberVector([]),
      },
    }),
    'events.series': () => [],
    'events.query': () => ({ events: [] }),
    'events.append'({ events }) {
      const known = new Set(appended.map(({ messageId }) => messageId))
      const fresh = events.filter(({ messageId }) => !known.has(messageId))
      appended.push(...fresh)
      return { accepted: fresh.length, duplicates: events.length - fresh.length }
    },
    'tasks.create'(task) {
      const known = tasks.findIndex(({ key }) => key === task.key)
      if (known < 0) tasks.push(task)
      return { id: known < 0 ? tasks.length : known + 1, created: known < 0 }
    },
    'db.query': () => [],
    'storage.get': ({ key }) => stored.get(key),
    'storage.set': ({ key, value }) => void stored.set(key, value),
    'storage.delete': ({ key }) => void stored.delete(key),
    'storage.list': ({ prefix }) => [...stored.keys()].filter((key) => key.startsWith(prefix)).toSorted(),
    'secrets.get': ({ key }) => secrets.get(key),
    'secrets.set': ({ key, value }) => void secrets.set(key, value),
    'secrets.delete': ({ key }) => void secrets.delete(key),
    async fetch({ url, init }) {
      if (world.fetch) return await world.fetch(url, init)
      throw userError('E_FETCH', `Nothing answers at ${url}`, { hint: 'Tests run without a network.' })
    },
    ...memoryCollections(clock),
    'commands.execute': ({ id }) => {
      throw userError('E_NOT_FOUND', `Command "${id}" does not exist`, { status: 404 })
    },
    'extensions.list': () => [],
    'extensions.call': ({ contributorId }) => {
      throw userError('E_NOT_FOUND', `Extension "${contributorId}" does not exist`, { status: 404 })
    },
    progress: () => {},
    log: (entry) => void logged.push(entry),
  }
}

type CollectionHandlers = Pick<
  EffectHandlers,
  | 'collections.find'
  | 'collections.get'
  | 'collections.insert'
  | 'collections.update'
  | 'collections.delete'
  | 'collections.count'
>

function memoryCollections(clock: { now(): number }): CollectionHandlers {
  const collections = new Map<string, Map<string, CollectionRecord>>()
  let lastId = 0
  const recordsOf = (collection: string) => {
    const records = collections.get(collection) ?? new Map<string, CollectionRecord>()
    collections.set(collection, records)
    return records
  }
  const getRecord = (collection: string, id: string) => {
    const record = recordsOf(collection).get(id)
    if (!record) throw userError('E_NOT_FOUND', `Record "${id}" does not exist`, { status: 404 })
    return record
  }
  const matching = (collection: string, where: Record<string, unknown> = {}) =>
    [...recordsOf(collection).values()].filter(({ data }) =>
      Object.entries(where).every(([field, filter]) => fits(data[field], filter)),
    )
  return {
    'collections.find': ({ collection, where, limit = 100 }) => ({
      records: matching(collection, where).slice(0, limit),
    }),
    'collections.get': ({ collection, id }) => getRecord(collection, id),
    'collections.insert'({ collection, data }) {
      const id = `r${++lastId}`
      const record = { id, data, version: 1, createdAt: clock.now(), updatedAt: clock.now() }
      recordsOf(collection).set(id, record)
      return record
    },
    'collections.update'({ collection, id, changes, version }) {
      const before = getRecord(collection, id)
      if (version !== undefined && version !== before.version) {
        throw userError('E_CONFLICT', `Record "${id}" was changed by somebody else`, { status: 409 })
      }
      const data = { ...before.data, ...changes }
      const record = { ...before, data, version: before.version + 1, updatedAt: clock.now() }
      recordsOf(collection).set(id, record)
      return record
    },
    'collections.delete': ({ collection, id }) => void recordsOf(collection).delete(id),
    'collections.count': ({ collection, where }) => matching(collection, where).length,
  }
}

function fits(value: unknown, filter: unknown): boolean {
  if (typeof filter !== 'object' || filter === null) return (value ?? null) === filter
  const { not, in: among, contains, ...bounds } = filter as Record<string, never>
  if (not !== undefined && (value ?? null) === not) return false
  if (among !== undefined && !(among as unknown[]).includes(value)) return false
  if (contains !== undefined && !String(value ?? '').includes(contains)) return false
  const compared = value as never
  return Object.entries(bounds).every(([operator, bound]) =>
    operator === 'gt'
      ? compared > bound
      : operator === 'gte'
        ? compared >= bound
        : operator === 'lt'
          ? compared < bound
          : compared <= bound,
  )
}

function size({ columns = {} }: MemoryWorld): number {
  return Math.max(0, ...Object.values(columns).map((values) => values.length))
}

function batchOf(world: MemoryWorld, names: readonly string[]): ColumnBatch {
  const rows = size(world)
  const columns = names.map((name) => {
    const values = Array.from({ length: rows }, (_, row) => world.columns?.[name]?.[row])
    const text = values.some((value) => typeof value === 'string')
    return [name, text ? toTextVector(values as string[]) : toNumberVector(values as number[])]
  })
  return {
    ids: Float64Array.from({ length: rows }, (_, row) => row + 1),
    columns: Object.fromEntries(columns) as ColumnBatch['columns'],
  }
}
