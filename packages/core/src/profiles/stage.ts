import type { CoreContext } from '../context.ts'
import { BusinessDays } from '../days.ts'
import { readCursor, writeCursor } from '../db/cursor.ts'
import { transact, type Tx } from '../db/database.ts'
import { type Definitions, readDefinitions } from './definitions.ts'
import { type Projection, PROFILES_CURSOR, projectEvents } from './project.ts'
import { redefine } from './redefine.ts'
import { moveWindows } from './windows.ts'

/** Events per transaction: large enough to be quick, small enough that ingestion never waits long. */
const BATCH = 5_000

/** Keeps profiles in step with the event log. */
export interface ProfileStage {
  /** Does the next piece of work in one transaction. Returns whether there may be more. */
  advance(): Promise<boolean>
  /** Definitions in force: event types and features of the enabled plugins. */
  definitions(): Promise<Definitions>
}

export function createProfileStage(context: CoreContext): ProfileStage {
  const { database, clock, points } = context
  let cached: { definitions: Definitions; days: BusinessDays } | undefined
  points.eventTypes.onDidChange(() => (cached = undefined))
  points.features.onDidChange(() => (cached = undefined))

  async function current(): Promise<{ definitions: Definitions; days: BusinessDays }> {
    const brand = await context.brand()
    if (
      cached &&
      cached.definitions.brand.timeZone === brand.timeZone &&
      cached.definitions.brand.currency === brand.currency
    )
      return cached
    const days = cached?.days.timeZone === brand.timeZone ? cached.days : new BusinessDays(brand.timeZone)
    return (cached = { definitions: readDefinitions(points, brand), days })
  }

  return {
    definitions: async () => (await current()).definitions,
    async advance() {
      const { definitions, days } = await current()
      const projection: Projection = { definitions, days, today: days.dayOf(clock.now()) }
      return await transact(database.db, async (tx) => {
        // The cursor's row is the lock that lets one node at a time write profiles.
        await readCursor(tx, PROFILES_CURSOR)
        if (await redefine(tx, projection)) return true
        if (await moveWindows(tx, projection)) return true
        return (await projectEvents(tx, projection, BATCH)) > 0
      })
    },
  }
}

/** Tables that hold nothing but what the log says: emptied before a replay. */
const FOLDED = [
  'timeline',
  'profile_states',
  'profiles',
  'identity_decisions',
  'identity_links',
  'identifiers',
] as const

/** Empties profiles and identities and rewinds the cursor, so that the stage folds the whole log again. */
export async function rewindProfiles(tx: Tx): Promise<void> {
  for (const table of FOLDED) await tx.deleteFrom(table).execute()
  await readCursor(tx, PROFILES_CURSOR)
  await writeCursor(tx, PROFILES_CURSOR, 0)
}
