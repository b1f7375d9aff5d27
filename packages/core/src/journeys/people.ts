import type { Db, Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'
import { rankOf } from '../identity/identifiers.ts'

export interface KnownIdentifier {
  id: number
  kind: string
  value: string
}

/** Someone that something is to be sent to, as known at this moment. */
export interface Person {
  /** Customer id now; the one asked for may have become part of another. */
  id: number
  identifiers: KnownIdentifier[]
  /** Wide row; undefined when there is none. */
  profile: Record<string, string | number | null> | undefined
}

/** Everybody asked for, by the id asked with. Who is not known any more is left out. */
export async function readPeople(db: Db | Tx, ids: Iterable<number>): Promise<Map<number, Person>> {
  const asked = [...new Set(ids)].map((id) => ({ id }))
  if (asked.length === 0) return new Map()
  const rows = await db
    .selectFrom(rowsOf(db, asked, { id: 'integer' }))
    .innerJoin('identifiers as asked', 'asked.id', 'r.id')
    .innerJoin('identifiers as known', 'known.customer_id', 'asked.customer_id')
    .select(['r.id as wanted', 'asked.customer_id', 'known.id', 'known.kind', 'known.value'])
    .execute()
  const people = new Map<number, Person>()
  const byWanted = new Map<number, Person>()
  for (const { wanted, customer_id, id, kind, value } of rows) {
    let person = people.get(customer_id)
    if (!person) people.set(customer_id, (person = { id: customer_id, identifiers: [], profile: undefined }))
    if (!person.identifiers.some((known) => known.id === id)) person.identifiers.push({ id, kind, value })
    byWanted.set(wanted, person)
  }
  const profiles = await db
    .selectFrom(
      rowsOf(
        db,
        [...people.keys()].map((id) => ({ id })),
        { id: 'integer' },
      ),
    )
    .innerJoin('profiles', 'profiles.customer_id', 'r.id')
    .selectAll('profiles')
    .$castTo<Record<string, string | number | null> & { customer_id: number }>()
    .execute()
  for (const profile of profiles) {
    const person = people.get(profile.customer_id)
    if (person) person.profile = profile
  }
  return byWanted
}

/** Where a channel reaches someone: the newest identifier of its kind; `open_id` is met by `open_id:<app>` too. */
export function findAddress(person: Person, kind: string): string | undefined {
  return findAddressOf(person, kind)?.value
}

export function findAddressOf({ identifiers }: Person, kind: string): KnownIdentifier | undefined {
  let newest: KnownIdentifier | undefined
  for (const identifier of identifiers) {
    if (identifier.kind !== kind && !identifier.kind.startsWith(`${kind}:`)) continue
    if (!newest || identifier.id > newest.id) newest = identifier
  }
  return newest
}

/** What names someone best in an event. */
export function nameOf({ identifiers }: Person): Record<string, unknown> {
  const [best] = identifiers.toSorted((a, b) => rankOf(a.kind) - rankOf(b.kind) || a.id - b.id)
  if (!best) return {}
  if (best.kind === 'user_id') return { userId: best.value }
  if (best.kind === 'anonymous_id') return { anonymousId: best.value }
  return { externalIds: [{ type: best.kind, id: best.value }] }
}
