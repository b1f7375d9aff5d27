import type { AppError } from '@huitou/plugin-api'
import type { Db } from '../db/database.ts'

/** Kept of each refused message: enough to find the sender's mistake. */
const EXCERPT = 500
const KEPT = 1_000

export interface Rejection {
  source: string
  at: number
  error: AppError
  message: unknown
}

/** Keeps refused messages, the newest thousand, without the values of their properties. */
export async function rememberRejected(db: Db, rejections: readonly Rejection[]): Promise<void> {
  if (rejections.length === 0) return
  await db
    .insertInto('rejected_events')
    .values(
      rejections.slice(0, 100).map(({ source, at, error, message }) => ({
        source,
        at,
        code: error.code,
        message: error.message,
        excerpt: shapeOf(message).slice(0, EXCERPT),
      })),
    )
    .execute()
  const newest = await db
    .selectFrom('rejected_events')
    .select('id')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (newest)
    await db
      .deleteFrom('rejected_events')
      .where('id', '<=', newest.id - KEPT)
      .execute()
}

/** Names and kinds of what was sent; values may be personal. */
function shapeOf(message: unknown): string {
  if (typeof message !== 'object' || message === null) return typeof message
  return JSON.stringify(message, (key, value: unknown) => {
    if (key === '' || typeof value === 'object') return value
    return key === 'type' || key === 'event' ? value : typeof value
  })
}
