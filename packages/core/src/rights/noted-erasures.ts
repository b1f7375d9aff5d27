import type { CoreContext } from '../context.ts'
import { readCursor } from '../db/cursor.ts'
import { type Db, transact } from '../db/database.ts'
import { takeTurn } from '../events/append.ts'
import { type Person, readPeople } from '../journeys/people.ts'
import { PROFILES_CURSOR } from '../profiles/project.ts'
import { erasuresFile, type NotedErasure, readNotedErasures } from './erase-files.ts'
import { forgetIdentity } from './forget-identity.ts'
import { marksOf } from './marks.ts'
import type { Suppression } from './suppression.ts'
import type { Tombstones } from './tombstones.ts'

/** Who asks for an erasure again that a restored backup did not know of. */
export const BACKUP = 'backup'
/** Identifiers hashed at once when a list from elsewhere is compared with who is here. */
const PAGE = 5_000

interface Deps extends Pick<CoreContext, 'database' | 'log'> {
  dataDir: string
  suppression: Suppression
  tombstones: Tombstones
}

/**
 * Erases again whom the data folder's list names and this database, taken from a backup perhaps, knows nothing of.
 * Call before anything runs. Returns how many erasures were new here.
 */
export async function applyNoted(deps: Deps): Promise<number> {
  const { database, dataDir, log, suppression } = deps
  const noted = await readNotedErasures(erasuresFile(dataDir))
  if (noted.length === 0) return 0
  const known = new Set((await database.db.selectFrom('erasures').select('id').execute()).map(({ id }) => id))
  const missed = noted.filter(({ id }) => !known.has(id))
  if (missed.length === 0) return 0
  const readable = missed.filter(({ keyId }) => keyId === suppression.keyId)
  if (readable.length < missed.length)
    log.error(
      { erasures: missed.length - readable.length },
      'Erasures were noted under another secret; start with the HUITOU_SECRET that they were made with',
    )
  for (const erasure of readable) await applyOne(erasure, deps)
  return readable.length
}

async function applyOne(noted: NotedErasure, { database, suppression, tombstones }: Deps): Promise<void> {
  const ids = await holdersOf(database.db, suppression, new Set(noted.hashes.map(({ hash }) => hash)))
  await transact(database.db, async (tx) => {
    await takeTurn(tx)
    await readCursor(tx, PROFILES_CURSOR)
    const people = [...new Set((await readPeople(tx, ids)).values())]
    const first = people[0]
    const merged: Person = {
      id: first?.id ?? 0,
      identifiers: people.flatMap(({ identifiers }) => identifiers),
      profile: first?.profile,
    }
    const marks: string[] = []
    for (const { id, identifiers } of people) marks.push(...(await marksOf(tx, id, identifiers)))
    if (people.length > 0)
      await tombstones.write(tx, merged, {
        id: noted.id,
        reason: '',
        marks,
        by: BACKUP,
        now: noted.at,
      })
    else await tombstones.writeEmpty(tx, { id: noted.id, at: noted.at, by: BACKUP })
    await tombstones.suppress(tx, noted.hashes, { erasure_id: noted.id, at: noted.at })
    for (const person of people) await forgetIdentity(tx, person)
  })
}

/** Identifiers of those that the hashes stand for; every identifier is hashed once to find them. */
async function holdersOf(db: Db, suppression: Suppression, hashes: ReadonlySet<string>): Promise<number[]> {
  const found: number[] = []
  for (let after = 0; ;) {
    const rows = await db
      .selectFrom('identifiers')
      .select('id')
      .where('id', '>', after)
      .orderBy('id')
      .limit(PAGE)
      .execute()
    const last = rows.at(-1)
    if (!last) return found
    const people = await readPeople(
      db,
      rows.map(({ id }) => id),
    )
    for (const { identifiers } of new Set(people.values()))
      for (const identifier of identifiers)
        if (hashes.has(suppression.hash(identifier))) found.push(identifier.id)
    after = last.id
  }
}
