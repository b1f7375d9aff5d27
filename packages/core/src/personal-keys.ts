import type { JobState } from './jobs/tables.ts'
import type { CoreContext } from './context.ts'
import { transact } from './db/database.ts'
import { addKey, dropKey, openKeys, readStoredKeys, type StoredKey } from './people/key-store.ts'
import { isSealingDue, noteSealed, sealEverything } from './sealing-job.ts'
import { countSealedValues } from './sealing-state.ts'
import { sealingTargets } from './sealing-targets.ts'

const SEAL = 'personal.seal'
/** Every node has learned of a new key by then; what it sealed before, a second pass seals anew. */
const LEARNED_MS = 60_000

/** How far the work of sealing is; undefined when there is none. */
export interface SealingWork {
  /** The first time everything is sealed anew, the second what other servers wrote meanwhile with the old key. */
  pass: 1 | 2
  /** When the second time begins, while it is waited for. */
  startsAt: number | null
  tables: { done: number; total: number }
  changed: number
  job: { id: string; state: JobState; error: string | null } | null
}

export interface KeysInUse {
  keys: (StoredKey & { isSealing: boolean; values: number })[]
  /** Values that stand readable as yet. */
  open: number
  isEstimate: boolean
  work: SealingWork | null
}

/** The keys that personal data is sealed with, and the work of sealing what they find. */
export interface PersonalKeys {
  /** Generations in the order they were made; the last one seals. */
  list(): Promise<StoredKey[]>
  /**
   * Makes a new generation, which seals at once, and begins to seal everything anew. The older ones are dropped when
   * nothing is sealed with them any more. Returns the new one's id.
   */
  rotate(): Promise<string>
  /** What is sealed with which key, and how far the change of keys is. */
  look(): Promise<KeysInUse>
}

/** Opens the keys under the installation's secret, and sees to it that what is not sealed yet will be. */
export async function openPersonalKeys(
  context: Pick<CoreContext, 'database' | 'clock' | 'jobs' | 'points'>,
  secret: string,
): Promise<PersonalKeys> {
  const { database, clock, jobs, points } = context
  const { db, vault } = database
  const declare = () =>
    vault.personal.declare(points.eventTypes.list().flatMap(({ value }) => value.pii ?? []))
  points.eventTypes.onDidChange(declare)
  declare()
  const isNew = (await readStoredKeys(db)).length === 0 && (await isEmpty(context))
  await openKeys(database, secret, clock.now())
  if (isNew) await noteSealed(database, vault.keyId ?? '')
  jobs.define(SEAL, async ({ signal, progress }) => {
    await vault.reload()
    const pass = await passOf(context)
    if (pass === undefined) return { changed: 0 }
    const changed = await sealEverything(database, pass, {
      signal,
      onStep: (done) => progress({ done, total: null, unit: 'rows' }),
    })
    if (changed === undefined) return undefined
    const dropped = await dropOld(context, pass)
    if (dropped.length === 0) await enqueueDue()
    return { changed, dropped }
  })

  async function enqueueDue(): Promise<void> {
    const keys = await readStoredKeys(db)
    const newest = keys.at(-1)
    if (!newest || (keys.length === 1 && !(await isSealingDue(database, newest.id)))) return
    const isFirst = await isSealingDue(database, newest.id)
    const runAt = isFirst ? clock.now() : Math.max(clock.now(), newest.createdAt + LEARNED_MS)
    await jobs.enqueue({
      kind: SEAL,
      title: JSON.stringify({ en: 'Seal personal data', 'zh-CN': '加密个人信息' }),
      key: `${SEAL}.${newest.id}.${isFirst ? 1 : 2}`,
      runAt,
    })
  }
  await enqueueDue()

  return {
    list: () => readStoredKeys(db),
    async rotate() {
      const id = await transact(db, (tx) => addKey(tx, secret, clock.now()))
      await vault.reload()
      await enqueueDue()
      return id
    },
    async look() {
      const stored = await readStoredKeys(db)
      const { byKey, open, isEstimate } = await countSealedValues(database)
      return {
        keys: stored.map((key, at) => ({
          ...key,
          isSealing: at === stored.length - 1,
          values: byKey.get(key.id) ?? 0,
        })),
        open,
        isEstimate,
        work: (await findWork(context)) ?? null,
      }
    },
  }
}

/** Where the change of keys stands, read off what the job keeps. */
async function findWork({ database, clock }: Context): Promise<SealingWork | undefined> {
  const { db } = database
  const keys = await readStoredKeys(db)
  const newest = keys.at(-1)
  if (!newest) return undefined
  const rows = await db.selectFrom('sealing_progress').selectAll().execute()
  const second = secondPass(newest.id)
  const isSecond = rows.some(({ key_id }) => key_id === second)
  const isFirst = !isSecond && (await isSealingDue(database, newest.id))
  if (!isFirst && keys.length === 1) return undefined
  const pass = isFirst ? newest.id : second
  const own = rows.filter(({ key_id }) => key_id === pass)
  const job = await db
    .selectFrom('jobs')
    .select(['id', 'state', 'error'])
    .where('kind', '=', SEAL)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  const startsAt = newest.createdAt + LEARNED_MS
  return {
    pass: isFirst ? 1 : 2,
    startsAt: isFirst || startsAt <= clock.now() ? null : startsAt,
    tables: {
      done: own.filter(({ done }) => done === 1).length,
      total: (await sealingTargets(db)).length,
    },
    changed: own.reduce((sum, { changed }) => sum + changed, 0),
    job: job
      ? {
          id: job.id,
          state: job.state,
          error:
            job.error === null ? null : ((JSON.parse(job.error) as { code?: string }).code ?? 'E_UNEXPECTED'),
        }
      : null,
  }
}

type Context = Pick<CoreContext, 'database' | 'clock'>

/**
 * What is to be gone through now: once at once, and once more when every node seals with the newest key. Undefined when
 * nothing is left to do.
 */
async function passOf({ database, clock }: Context): Promise<string | undefined> {
  const keys = await readStoredKeys(database.db)
  const newest = keys.at(-1)
  if (!newest) return undefined
  if (await isSealingDue(database, newest.id)) {
    const again = await database.db
      .selectFrom('sealing_progress')
      .select('name')
      .where('key_id', '=', secondPass(newest.id))
      .executeTakeFirst()
    if (!again) return newest.id
  }
  return keys.length > 1 && clock.now() >= newest.createdAt + LEARNED_MS ? secondPass(newest.id) : undefined
}

/** Drops every key but the newest after the second pass: nothing is sealed with them any more. */
async function dropOld({ database, clock }: Context, pass: string): Promise<string[]> {
  const keys = await readStoredKeys(database.db)
  const newest = keys.at(-1)
  if (!newest || pass !== secondPass(newest.id) || clock.now() < newest.createdAt + LEARNED_MS) return []
  const old = keys.slice(0, -1)
  await transact(database.db, async (tx) => {
    for (const { id } of old) await dropKey(tx, id)
    await tx.updateTable('sealing_progress').set({ key_id: newest.id }).where('key_id', '=', pass).execute()
  })
  await database.vault.reload()
  return old.map(({ id }) => id)
}

function secondPass(id: string): string {
  return `${id}+`
}

/** Whether nobody is known and nothing has happened yet. */
async function isEmpty({ database: { db } }: Context): Promise<boolean> {
  const tables = ['events', 'identifiers', 'profiles', 'segments', 'imports', 'jobs', 'collections'] as const
  for (const table of tables)
    if (
      await db
        .selectFrom(table)
        .select(({ lit }) => lit(1).as('one'))
        .limit(1)
        .executeTakeFirst()
    )
      return false
  return true
}
