import type { ErasedCustomer } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { Db, Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import type { Person } from '../journeys/people.ts'
import { isGranted, type Reader } from '../points/grants.ts'
import type { PointOwner, Text } from '../points/points.ts'
import { personalKind } from '../profiles/visible-key.ts'
import { MarkFinder } from './marks.ts'
import type { RightsTables } from './tables.ts'

const FIRST_PAUSE_MS = 60_000
const LONGEST_PAUSE_MS = 6 * 3_600_000
const ERROR_LENGTH = 300

/** Something of a plugin that keeps data about customers, whether the plugin runs or not. */
export interface KnownEraser {
  plugin: string
  /** Full id. */
  id: string
  title: Text
}

/** Who is erased, of which each plugin gets what it may know; the name is only for taking it out of errors. */
export interface WhoWas extends Omit<ErasedCustomer, 'erasure'> {
  name: string | null
}

export function whoWas({ id, identifiers, profile }: Person, ids: readonly number[]): WhoWas {
  return {
    ids: [...ids],
    key: String(profile?.['key'] ?? `#${id}`),
    identifiers: identifiers.map(({ kind, value }) => ({ kind, value })),
    name: profile?.['t_name'] == null ? null : String(profile['t_name']),
  }
}

/** Writes down whose answer the erasure waits for. */
export async function expectAnswers(
  tx: Tx,
  erasers: readonly KnownEraser[],
  { erasureId, now }: { erasureId: string; now: number },
): Promise<void> {
  await insertRows(tx, 'plugin_erasures', {
    rows: erasers.map(({ plugin, id, title }) => ({
      erasure_id: erasureId,
      plugin_id: plugin,
      eraser_id: id,
      title: JSON.stringify(title),
      state: 'waiting',
      attempts: 0,
      next_at: now,
      removed: 0,
    })),
    columns: {
      erasure_id: 'text',
      plugin_id: 'text',
      eraser_id: 'text',
      title: 'text',
      state: 'text',
      attempts: 'integer',
      next_at: 'integer',
      removed: 'integer',
    },
    conflict: { columns: ['erasure_id', 'eraser_id'], then: 'keep' },
  })
}

/**
 * Tells every plugin that has not answered yet, and may be asked again by now. Returns how many still have to answer. A
 * crash in between asks one of them once more.
 */
export async function tellPlugins(
  { database: { db }, clock, points, log }: CoreContext,
  { erasureId, customer, finder }: { erasureId: string; customer: WhoWas; finder: MarkFinder },
  signal: AbortSignal,
): Promise<number> {
  const due = await waitingFor(db, erasureId)
  let left = due.length
  for (const row of due) {
    if (signal.aborted) return left
    if (row.next_at > clock.now()) continue
    const known = points.erasers.find(row.eraser_id)
    const attempts = row.attempts + 1
    try {
      if (!known) throw new Error('The extension does not run')
      const told = forPlugin(known.owner, customer, erasureId)
      const answer = await known.value.run(told, { now: clock.now(), signal })
      const removed: unknown = answer?.removed
      if (!Number.isSafeInteger(removed) || Number(removed) < 0)
        throw new Error('It did not say how much went')
      await change(db, row, {
        state: 'done',
        attempts,
        error: null,
        answered_at: clock.now(),
        removed: Number(removed),
      })
      left--
    } catch (error) {
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(row.attempts, 20))
      const text = withoutName(error instanceof Error ? error.message : String(error), customer, finder)
      log.warn({ plugin: row.plugin_id, erasure: erasureId, attempts }, 'A plugin could not erase a customer')
      await change(db, row, {
        attempts,
        error: text.slice(0, ERROR_LENGTH),
        next_at: clock.now() + pause,
      })
    }
  }
  return left
}

export async function waitingFor(db: Db, erasureId: string): Promise<RightsTables['plugin_erasures'][]> {
  return await db
    .selectFrom('plugin_erasures')
    .selectAll()
    .where('erasure_id', '=', erasureId)
    .where('state', '=', 'waiting')
    .orderBy('eraser_id')
    .execute()
}

/** Nobody is left to answer for a plugin that was taken out with its data. */
export async function releasePlugin(db: Db, pluginId: string): Promise<void> {
  await db
    .updateTable('plugin_erasures')
    .set({ state: 'gone', error: null, next_at: 0 })
    .where('plugin_id', '=', pluginId)
    .where('state', '=', 'waiting')
    .execute()
}

/** Personal data takes a grant, here as everywhere. */
function forPlugin(owner: PointOwner, { ids, key, identifiers }: WhoWas, erasure: string): ErasedCustomer {
  const permissions = owner.permissions?.()
  if (!permissions) return { erasure, ids, key, identifiers }
  const reader: Reader = { id: owner.plugin, columnPrefix: owner.prefix, permissions }
  const may = (kind: string) => isGranted(reader, 'profile.pii', kind)
  const personal = personalKind(key)
  return {
    erasure,
    ids,
    key: personal && !may(personal) ? `#${ids[0]}` : key,
    identifiers: identifiers.filter(({ kind }) => may(kind)),
  }
}

/** What a plugin says went wrong may name the customer, also by what is too short to be looked for elsewhere. */
function withoutName(text: string, { name, key, identifiers }: WhoWas, finder: MarkFinder): string {
  const names = [name, key, ...identifiers.map(({ value }) => value)].filter((each) => each !== null)
  return new MarkFinder(names).without(finder.without(text))
}

async function change(
  db: Db,
  { erasure_id, eraser_id }: RightsTables['plugin_erasures'],
  set: Partial<RightsTables['plugin_erasures']>,
): Promise<void> {
  await db
    .updateTable('plugin_erasures')
    .set(set)
    .where('erasure_id', '=', erasure_id)
    .where('eraser_id', '=', eraser_id)
    .execute()
}
