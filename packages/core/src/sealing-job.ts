import { sql } from 'kysely'
import { toDefinition } from './collections/definition.ts'
import { searchTable } from './collections/search-index.ts'
import { reindexRecords } from './collections/write.ts'
import { type Database, transact, type Tx } from './db/database.ts'
import { engineOf } from './db/rows.ts'
import type { Vault } from './people/vault.ts'
import { sealingTargets, type SealingTarget } from './sealing-targets.ts'

/** Rows looked at in one transaction: others wait no longer than for a batch of events. */
const STEP = 400

/** How far a table has been sealed under one key. */
interface Position {
  after: (string | number)[]
  changed: number
}

/**
 * Seals what stands readable, or under an older key, in every table that holds personal data; what is sealed already is
 * left as it is. Goes on where it was interrupted: `pass` names the work, and what it did is kept by table. Returns how
 * many rows it changed, or undefined when it was asked to stop.
 */
export async function sealEverything(
  database: Database,
  pass: string,
  { signal, onStep }: { signal: AbortSignal; onStep(changed: number): void },
): Promise<number | undefined> {
  const { db, engine } = database
  let changed = 0
  // What a row held before must not stay behind in the file.
  if (engine === 'sqlite') await sql`pragma secure_delete = on`.execute(db)
  for (const target of await sealingTargets(db)) {
    for (let more = true; more;) {
      if (signal.aborted) return undefined
      const step = await transact(db, (tx) => sealStep(tx, target, pass, database.vault))
      more = step.more
      changed += step.changed
      onStep(changed)
      // Between two steps others get their turn; SQLite's calls do not yield by themselves.
      await new Promise<void>((resolve) => void setImmediate(resolve))
    }
  }
  if (engine === 'sqlite') {
    await sql`pragma wal_checkpoint(truncate)`.execute(db)
    await sql`pragma secure_delete = fast`.execute(db)
  }
  return changed
}

/** Whether tables of the core are left that a pass has not been through. */
export async function isSealingDue({ db }: Database, pass: string): Promise<boolean> {
  const done = await db
    .selectFrom('sealing_progress')
    .select('name')
    .where('key_id', '=', pass)
    .where('done', '=', 1)
    .execute()
  const names = new Set(done.map(({ name }) => name))
  return (await sealingTargets(db)).some(({ name, collection }) => !collection && !names.has(name))
}

/** Notes that there is nothing to seal: the database is new. */
export async function noteSealed({ db }: Database, pass: string): Promise<void> {
  const rows = (await sealingTargets(db)).map(({ name }) => ({
    name,
    key_id: pass,
    position: '[]',
    changed: 0,
    done: 1,
  }))
  await db
    .insertInto('sealing_progress')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

async function sealStep(
  tx: Tx,
  target: SealingTarget,
  pass: string,
  vault: Vault,
): Promise<{ more: boolean; changed: number }> {
  const position = await readPosition(tx, target, pass)
  if (!position) return { more: false, changed: 0 }
  // What is stored, not what it says; and what is written here is sealed already.
  const raw = tx.withoutPlugins() as Tx
  const rows = await readRows(raw, target, position.after)
  const sealed: Record<string, unknown>[] = []
  for (const row of rows) {
    const change = changeOf(row, target, vault)
    if (!change) continue
    await writeRow(raw, target, row, change)
    sealed.push(row)
  }
  if (target.collection && sealed.length > 0) await reindex(tx, target.collection, sealed)
  const last = rows.at(-1)
  const more = rows.length === STEP
  // The index keeps words of rows that were taken out until its parts are merged.
  if (target.collection && !more && engineOf(tx) === 'sqlite') await mergeSearch(tx, target.table)
  await writePosition(tx, target, pass, {
    after: last ? target.key.map((name) => last[name] as string | number) : position.after,
    changed: position.changed + sealed.length,
    done: !more,
  })
  return { more, changed: sealed.length }
}

/** The columns to change, and what beside them; undefined when the row is as it should be. */
function changeOf(
  row: Record<string, unknown>,
  target: SealingTarget,
  vault: Vault,
): Record<string, unknown> | undefined {
  const change: Record<string, unknown> = {}
  const opened: Record<string, unknown> = {}
  for (const column of target.columns) {
    const value = row[column]
    if (typeof value !== 'string') continue
    const isFresh = vault.countSealed(value) > 0 && !vault.isStale(value)
    opened[column] = vault.open(value)
    if (isFresh) continue
    const sealed = target.seal(vault, column, opened[column] as string)
    if (sealed !== value) change[column] = sealed
  }
  if (Object.keys(change).length === 0) return undefined
  return { ...change, ...target.beside?.(vault, opened) }
}

async function readRows(
  raw: Tx,
  { table, key, columns }: SealingTarget,
  after: readonly (string | number)[],
): Promise<Record<string, unknown>[]> {
  const names = sql.join([...key, ...columns].map((name) => sql.ref(name)))
  const keys = sql.join(key.map((name) => sql.ref(name)))
  const beyond = after.length === 0 ? sql`` : sql` where (${keys}) > (${sql.join(after)})`
  // Of several nodes each row has one writer at a time; SQLite has one anyway.
  const lock = engineOf(raw) === 'postgres' ? sql` for update` : sql``
  const { rows } = await sql<
    Record<string, unknown>
  >`select ${names} from ${sql.table(table)}${beyond} order by ${keys} limit ${sql.lit(STEP)}${lock}`.execute(
    raw,
  )
  return rows
}

async function writeRow(
  raw: Tx,
  { table, key }: SealingTarget,
  row: Record<string, unknown>,
  change: Record<string, unknown>,
): Promise<void> {
  const set = sql.join(Object.entries(change).map(([name, value]) => sql`${sql.ref(name)} = ${value}`))
  const where = sql.join(
    key.map((name) => sql`${sql.ref(name)} = ${row[name]}`),
    sql` and `,
  )
  await sql`update ${sql.table(table)} set ${set} where ${where}`.execute(raw)
}

/** The words of a record stand in its search index too. */
async function reindex(tx: Tx, collection: string, rows: readonly Record<string, unknown>[]): Promise<void> {
  const row = await tx.selectFrom('collections').selectAll().where('id', '=', collection).executeTakeFirst()
  if (!row) return
  await reindexRecords(
    tx,
    toDefinition(row),
    rows.map(({ seq }) => Number(seq)),
  )
}

async function mergeSearch(tx: Tx, table: string): Promise<void> {
  const index = searchTable(table)
  await sql`insert into ${sql.table(index)} (${sql.ref(index)}) values ('optimize')`.execute(tx)
}

/** Where to go on; undefined when the table is done. */
async function readPosition(tx: Tx, { name }: SealingTarget, pass: string): Promise<Position | undefined> {
  const row = await tx.selectFrom('sealing_progress').selectAll().where('name', '=', name).executeTakeFirst()
  if (row?.key_id !== pass) return { after: [], changed: 0 }
  return row.done === 1
    ? undefined
    : { after: JSON.parse(row.position) as (string | number)[], changed: row.changed }
}

async function writePosition(
  tx: Tx,
  { name }: SealingTarget,
  pass: string,
  { after, changed, done }: Position & { done: boolean },
): Promise<void> {
  const row = { key_id: pass, position: JSON.stringify(after), changed, done: done ? 1 : 0 }
  await tx
    .insertInto('sealing_progress')
    .values({ name, ...row })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
    .execute()
}
