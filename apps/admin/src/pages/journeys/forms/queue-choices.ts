import type { TaskQueue } from '@huitou/admin-kit'

type Schema = Record<string, unknown>

/**
 * `schema` with the queues of the workbench as choices of every text that names one (`"format": "task-queue"`). What
 * `value` names stays a choice, also when nobody has set that queue up yet.
 */
export function withQueues(
  schema: Schema,
  value: Schema,
  queues: readonly Pick<TaskQueue, 'id' | 'name'>[],
  general: string,
): Schema {
  const properties = schema['properties'] as Record<string, Schema> | undefined
  if (!properties) return schema
  const titles = Object.fromEntries(queues.map(({ id, name }) => [id, name || general]))
  const offer = (named: unknown, property: Schema): Schema => {
    if (property['format'] !== 'task-queue' || queues.length === 0) return property
    const ids = new Set([...Object.keys(titles), ...(typeof named === 'string' ? [named] : [])])
    return { ...property, enum: [...ids], enumTitles: titles }
  }
  return {
    ...schema,
    properties: Object.fromEntries(
      Object.entries(properties).map(([id, property]) => [id, offer(value[id], property)]),
    ),
  }
}
