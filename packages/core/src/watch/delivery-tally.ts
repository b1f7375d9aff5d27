import type { Database } from '../db/database.ts'

export interface TalliedStep {
  /** What happened to a delivery: `sent`, `refused`, `failed` and so on. */
  kind: string
  reason: string | null
  count: number
}

/** Steps read at a time; what is more is counted at the next look. */
const BATCH = 20_000

/** Counts what happened to deliveries since it was made, on whichever node, by reading their history as it grows. */
export class DeliveryTally {
  readonly #database: Pick<Database, 'db'>
  #position: number | undefined

  constructor(database: Pick<Database, 'db'>) {
    this.#database = database
  }

  /** What has happened since the last call; the first one only begins. */
  async next(): Promise<TalliedStep[]> {
    const { db } = this.#database
    if (this.#position === undefined) {
      const last = await db
        .selectFrom('delivery_events')
        .select((query) => query.fn.max('id').as('id'))
        .executeTakeFirst()
      this.#position = Number(last?.id ?? 0)
      return []
    }
    const rows = await db
      .selectFrom('delivery_events')
      .select(['id', 'kind', 'reason'])
      .where('id', '>', this.#position)
      .orderBy('id')
      .limit(BATCH)
      .execute()
    const counts = new Map<string, TalliedStep>()
    for (const { kind, reason } of rows) {
      const key = `${kind} ${reason ?? ''}`
      const step = counts.get(key) ?? { kind, reason, count: 0 }
      step.count++
      counts.set(key, step)
    }
    this.#position = rows.at(-1)?.id ?? this.#position
    return [...counts.values()]
  }
}
