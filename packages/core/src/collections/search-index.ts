import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely'
import { engineOf } from '../db/rows.ts'
import { vaultOf } from '../db/sealing.ts'

/** More than any title or note needs; a whole book in a field is found by how it begins. */
const INDEXED_CHARACTERS = 20_000
const QUERY_TERMS = 12

const WORDS = /[\p{L}\p{N}]+/gu
const HAN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]+/gu

/**
 * Terms under which a text is found: whole words, and every two neighbouring characters of scripts that put no
 * space between words. A word is found by how it begins; the last character of a run stands alone, so that one
 * character finds all that hold it.
 */
export function searchTerms(texts: readonly string[]): string[] {
  const terms = new Set<string>()
  for (const text of texts) {
    for (const { run, isHan } of runsOf(text.slice(0, INDEXED_CHARACTERS))) {
      if (!isHan) {
        terms.add(run)
        continue
      }
      const characters = [...run]
      for (let at = 0; at < characters.length; at++) terms.add(`${characters[at]}${characters[at + 1] ?? ''}`)
    }
  }
  return [...terms]
}

/** Terms that a record must have all of; those with `prefix` may go on. */
function queryTerms(search: string): { term: string; prefix: boolean }[] {
  const terms = runsOf(search.slice(0, 200)).flatMap(({ run, isHan }) => {
    const characters = [...run]
    if (!isHan || characters.length === 1) return [{ term: run, prefix: true }]
    return characters
      .slice(0, -1)
      .map((character, at) => ({ term: `${character}${characters[at + 1]}`, prefix: false }))
  })
  return terms.slice(0, QUERY_TERMS)
}

/**
 * Condition that rows of `table` hold every word of `search`. Undefined when there is no word in it, so that
 * punctuation alone finds everything.
 */
export function searchCondition(
  db: Kysely<any>,
  table: string,
  search: string,
): RawBuilder<SqlBool> | undefined {
  const terms = queryTerms(search)
  if (terms.length === 0) return undefined
  // What is sealed is found whole, by a digest that stands in the index in its place.
  const digests = vaultOf(db).wordsFor(search)
  if (engineOf(db) === 'postgres') {
    const words = terms.map(({ term, prefix }) => `'${term}'${prefix ? ':*' : ''}`).join(' & ')
    const query = [`(${words})`, ...digests.map((digest) => `'${digest}'`)].join(' | ')
    return sql<SqlBool>`${sql.ref(`${table}.search`)} @@ ${query}::tsquery`
  }
  const words = terms.map(({ term, prefix }) => `"${term}"${prefix ? '*' : ''}`).join(' AND ')
  const query = [`(${words})`, ...digests.map((digest) => `"${digest}"`)].join(' OR ')
  const index = sql.table(searchTable(table))
  return sql<SqlBool>`${sql.ref(`${table}.seq`)} in (select rowid from ${index} where ${index} match ${query})`
}

/** The full-text table beside a table of records; SQLite only, PostgreSQL keeps the terms in the row. */
export function searchTable(table: string): string {
  return `${table}_search`
}

/** Makes the index of an empty table. */
export async function createSearchIndex(db: Kysely<any>, table: string): Promise<void> {
  if (engineOf(db) === 'postgres') {
    await sql`create index ${sql.ref(`${table}_search`)} on ${sql.table(table)} using gin (search)`.execute(
      db,
    )
    return
  }
  // Neither the text nor the places of words are kept: the record has the one, and nobody asks for the other.
  await sql`create virtual table ${sql.table(searchTable(table))} using fts5(terms, content='', contentless_delete=1, detail=none, tokenize='unicode61 remove_diacritics 0')`.execute(
    db,
  )
}

function runsOf(text: string): { run: string; isHan: boolean }[] {
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\p{M}+/gu, '')
  return [...plain.matchAll(WORDS)].flatMap(([word]) => {
    const runs: { run: string; isHan: boolean }[] = []
    let end = 0
    for (const match of word.matchAll(HAN)) {
      if (match.index > end) runs.push({ run: word.slice(end, match.index), isHan: false })
      runs.push({ run: match[0], isHan: true })
      end = match.index + match[0].length
    }
    if (end < word.length) runs.push({ run: word.slice(end), isHan: false })
    return runs
  })
}
