import { notFound, type TaskReceipt, type TaskRequest, userError } from '@huitou/plugin-api'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import type { Tasks } from './tasks.ts'

const text = (max: number) => z.string().trim().min(1).max(max)

const requestSchema = z.object({
  key: text(200),
  title: text(500),
  kind: text(200).default('task'),
  queue: text(200).optional(),
  assignee: text(100).optional(),
  customerId: z.int().positive().optional(),
  dueMinutes: z.int().min(1).max(1_000_000).default(480),
  dueAt: z.int().positive().optional(),
  script: text(4_000).optional(),
  outcomes: z
    .array(
      z.object({
        id: text(60),
        title: z.union([text(200), z.object({ en: text(200), 'zh-CN': text(200) })]).optional(),
      }),
    )
    .max(20)
    .optional(),
  data: z.record(z.string().max(100), z.json()).optional(),
})

const DATA_LIMIT = 16_384

/** Makes a task that a plugin asks for. Whether the plugin may is for the caller to know. */
export async function createPluginTask(
  { database, tasks }: Pick<CoreContext, 'database'> & { tasks: Tasks },
  pluginId: string,
  request: TaskRequest,
): Promise<TaskReceipt> {
  const parsed = requestSchema.safeParse(request)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw userError('E_INVALID', `A task of "${pluginId}": ${issue?.path.join('.')}: ${issue?.message}`)
  }
  const { key, dueMinutes, dueAt, customerId, ...task } = parsed.data
  if (JSON.stringify(task.data ?? {}).length > DATA_LIMIT)
    throw userError('E_INVALID', `The data of a task may hold ${DATA_LIMIT / 1_024} KB`)
  if (customerId !== undefined) {
    const known = await database.db
      .selectFrom('identifiers')
      .select('id')
      .where('id', '=', customerId)
      .executeTakeFirst()
    if (!known) throw notFound('Customer', customerId)
  }
  return await tasks.create({
    ...task,
    customerId,
    key: `plugin:${pluginId}:${key}`,
    createdBy: `plugin:${pluginId}`,
    due: dueAt === undefined ? { minutes: dueMinutes } : { at: dueAt },
  })
}
