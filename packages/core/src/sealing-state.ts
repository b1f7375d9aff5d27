import { sql } from 'kysely'
import type { Database, Db } from './db/database.ts'
import type { Vault } from './people/vault.ts'
import { sealingTargets, type SealingTarget } from './sealing-targets.ts'

/** Rows of a table that are looked at; of a larger one they are taken from places spread over it. */
const LOOKED_AT = 1_000
const PLACES = 20

/** How many values are sealed with which key. */
export interface SealedValues {
  byKey: Map<string, number>
  /** Values that should be sealed and stand readable. */
  open: number
  /** Some tables are too large to be read whole; then the figures are reckoned from a part of them. */
  isEstimate: boolean
}

/** Counts sealed values by key, in well under a second whatever the size of the database. */
export async function countSealedValues({ analytics, vault }: Database): Promise<SealedValues> {
  // What is stored, not what it says.
  const db = analytics.withoutPlugins() as Db
  const sum: SealedValues = { byKey: new Map(), open: 0, isEstimate: false }
  for (const target of await sealingTargets(db)) {
    const total = await countRows(db, target)
    if (total === 0) continue
    const rows = await readSome(db, target, total)
    const weight = rows.length === 0 || rows.length >= total ? 1 : total / rows.length
    if (weight > 1) sum.isEstimate = true
    for (const row of rows) {
      for (const column of target.columns) count(sum, { vault, target, column, value: row[column], weight })
    }
  }
  for (const [id, values] of sum.byKey) sum.byKey.set(id, Math.round(values))
  sum.open = Math.round(sum.open)
  return sum
}

interface Cell {
  vault: Vault
  target: SealingTarget
  column: string
  value: unknown
  weight: number
}

function count(sum: SealedValues, { vault, target, column, value, weight }: Cell): void {
  if (typeof value !== 'string') return
  const keys = vault.keysIn(value)
  for (const id of keys) sum.byKey.set(id, (sum.byKey.get(id) ?? 0) + weight)
  if (keys.length === 0 && target.seal(vault, column, value) !== value) sum.open += weight
}

/** Exactly for small tables; of large ones the span of their numbers says enough. */
async function countRows(db: Db, { table, key }: SealingTarget): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*) as n from (select 1 from ${sql.table(table)} limit ${sql.lit(LOOKED_AT + 1)}) as r`.execute(
    db,
  )
  const few = Number(rows[0]?.n ?? 0)
  if (few <= LOOKED_AT) return few
  const span = await readSpan(db, table, key)
  if (span && table === 'events') return span.last - span.first + 1
  const all = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(db)
  return Number(all.rows[0]?.n ?? 0)
}

async function readSpan(
  db: Db,
  table: string,
  [name = '', ...more]: readonly string[],
): Promise<{ first: number; last: number } | undefined> {
  if (more.length > 0) return undefined
  const { rows } = await sql<{ first: unknown; last: unknown }>`
    select min(${sql.ref(name)}) as first, max(${sql.ref(name)}) as last from ${sql.table(table)}`.execute(db)
  const [row] = rows
  if (typeof row?.first !== 'number' || typeof row.last !== 'number') return undefined
  return { first: row.first, last: row.last }
}

async function readSome(db: Db, target: SealingTarget, total: number): Promise<Record<string, unknown>[]> {
  const { table, key, columns } = target
  const names = sql.join(columns.map((name) => sql.ref(name)))
  const order = (down: boolean) =>
    sql.join(key.map((name) => (down ? sql`${sql.ref(name)} desc` : sql.ref(name))))
  const read = async (rest: ReturnType<typeof sql>) =>
    (await sql<Record<string, unknown>>`select ${names} from ${sql.table(table)} ${rest}`.execute(db)).rows
  if (total <= LOOKED_AT) return await read(sql`order by ${order(false)} limit ${sql.lit(LOOKED_AT)}`)
  const span = await readSpan(db, table, key)
  if (!span) {
    const half = sql.lit(LOOKED_AT / 2)
    return [
      ...(await read(sql`order by ${order(false)} limit ${half}`)),
      ...(await read(sql`order by ${order(true)} limit ${half}`)),
    ]
  }
  const rows: Record<string, unknown>[] = []
  const step = (span.last - span.first + 1) / PLACES
  for (let place = 0; place < PLACES; place++) {
    const from = Math.floor(span.first + place * step)
    const to = Math.floor(span.first + (place + 1) * step)
    const [name] = key
    rows.push(
      ...(await read(
        sql`where ${sql.ref(name as string)} >= ${from} and ${sql.ref(name as string)} < ${to}
            order by ${order(false)} limit ${sql.lit(LOOKED_AT / PLACES)}`,
      )),
    )
  }
  return rows
}
