import type { Kysely } from 'kysely'
import type { Db } from '../db/database.ts'

/** Names of people by author. A plugin goes by its id. */
export async function authorNames(db: Db, authors: readonly string[]): Promise<Record<string, string>> {
  const distinct = [...new Set(authors)]
  const people = distinct.filter((author) => author.startsWith('person:')).map((author) => author.slice(7))
  const names = Object.fromEntries(
    distinct.filter((author) => author.startsWith('plugin:')).map((author) => [author, author.slice(7)]),
  )
  if (people.length === 0) return names
  // Accounts belong to the sign-in library, whose table no type of ours knows; without people there is none.
  const rows = (await (db as unknown as Kysely<any>)
    .selectFrom('user')
    .select(['id', 'name'])
    .where('id', 'in', people)
    .execute()
    .catch(() => [])) as { id: string; name: string }[]
  for (const { id, name } of rows) names[`person:${id}`] = name
  return names
}
