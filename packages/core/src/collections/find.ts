import { notFound, userError } from '@huitou/plugin-api'
import { type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { CollectionField, Definition } from './definition.ts'
import { vaultOf } from '../db/sealing.ts'
import type { Vault } from '../people/vault.ts'
import { checkSealed, compileFilter, type Filter, getTarget, type Target } from './filter.ts'
import { findRow, recordColumns, type RecordRow, type StoredRecord, toRecord } from './record.ts'
import { searchCondition } from './search-index.ts'

export interface RecordSearch {
  filter?: Filter | undefined
  /** Words to find in the searchable fields. */
  search?: string | undefined
  /** Newest first if absent. Blank values come first ascending and last descending. */
  sort?: { field: string; dir: 'asc' | 'desc' } | undefined
  /** Fields to return; all if absent. */
  fields?: readonly string[] | undefined
  /** The `cursor` of the page before. */
  cursor?: string | undefined
  limit: number
}

export interface RecordPage {
  records: StoredRecord[]
  cursor?: string
}

type Records = SelectQueryBuilder<any, any, object>

/** Where a page ended. `seq` counts records in the order they were made. */
interface Position {
  value: string | number | null
  seq: number
}

/** A page of records. The same search with the page's cursor gives the next one, whatever was written meanwhile. */
export async function findRecords(
  db: Kysely<any>,
  definition: Definition,
  search: RecordSearch,
): Promise<RecordPage> {
  const fields = chosenFields(definition, search.fields)
  const sort = readSort(vaultOf(db), definition, search)
  const after = search.cursor === undefined ? undefined : readPosition(search.cursor)
  const rows: RecordRow[] = []
  for (const blank of sort.phases) {
    const wanted = search.limit + 1 - rows.length
    if (wanted <= 0) break
    // The page before ended in the other part.
    if (after && rows.length === 0 && sort.phases.length === 2) {
      const ended = after.value === null
      if (ended !== blank && sort.phases[0] === blank) continue
    }
    const isResumed = after !== undefined && (after.value === null) === blank
    const query = matching(db, definition, search)
      .select(recordColumns(definition, fields))
      .select(sort.value.as('sort_value'))
      .$if(sort.phases.length === 2, (each) =>
        each.where(sql<boolean>`${sort.ref} is ${sql.raw(blank ? '' : 'not ')}null`),
      )
      .$if(isResumed, (each) => each.where(beyond(sort, after as Position)))
      .$call((each) => ordered(each, sort, { blank }))
      .limit(wanted)
    rows.push(...((await query.execute()) as RecordRow[]))
  }
  const kept = rows.slice(0, search.limit)
  const last = kept.at(-1)
  return {
    records: kept.map((row) => toRecord(row, fields)),
    ...(rows.length > search.limit && last
      ? { cursor: writePosition({ value: last['sort_value'] as Position['value'], seq: Number(last.seq) }) }
      : {}),
  }
}

/** How many records fit. */
export async function countRecords(
  db: Kysely<any>,
  definition: Definition,
  search: Pick<RecordSearch, 'filter' | 'search'> = {},
): Promise<number> {
  const row = await matching(db, definition, search)
    .select(sql<number>`count(*)`.as('count'))
    .executeTakeFirstOrThrow()
  return Number((row as { count: number }).count)
}

/** How many records there are with each value of a field, the most frequent first; blank counts as null. */
export async function countGroups(
  db: Kysely<any>,
  definition: Definition,
  { field, ...search }: { field: string; limit: number } & Pick<RecordSearch, 'filter' | 'search'>,
): Promise<{ value: string | number | boolean | null; count: number }[]> {
  const { ref, storage } = getTarget(definition, field)
  if (storage === 'json')
    throw userError('E_FIELD', `Records cannot be counted by "${field}", which holds lists`)
  checkSealed(vaultOf(db), getTarget(definition, field), 'count')
  const rows = await matching(db, definition, search)
    .select([sql<string | number | null>`${sql.ref(ref)}`.as('value'), sql<number>`count(*)`.as('count')])
    .groupBy(sql.ref(ref) as never)
    .orderBy(sql`count(*) desc`)
    .orderBy(sql.ref(ref))
    .limit(search.limit)
    .execute()
  return (rows as { value: string | number | null; count: number }[]).map(({ value, count }) => ({
    value: storage === 'boolean' && value !== null ? Number(value) === 1 : value,
    count: Number(count),
  }))
}

/** Throws `E_NOT_FOUND`. */
export async function getRecord(db: Kysely<any>, definition: Definition, id: string): Promise<StoredRecord> {
  const row = await findRow(db, definition, id)
  if (!row) throw notFound(`Record of "${definition.id}"`, id)
  return toRecord(row, definition.fields)
}

/** Every record that fits, in pages in the order they were made. */
export async function* eachRecord(
  db: Kysely<any>,
  definition: Definition,
  search: Pick<RecordSearch, 'filter' | 'search' | 'sort' | 'fields'>,
): AsyncGenerator<StoredRecord[]> {
  let cursor: string | undefined
  do {
    const page = await findRecords(db, definition, {
      ...search,
      sort: search.sort ?? { field: 'createdAt', dir: 'asc' },
      cursor,
      limit: 1_000,
    })
    if (page.records.length > 0) yield page.records
    ;({ cursor } = page)
  } while (cursor !== undefined)
}

/** Rows that fit, nothing selected yet. */
export function matching(
  db: Kysely<any>,
  definition: Definition,
  { filter, search }: Pick<RecordSearch, 'filter' | 'search'>,
): Records {
  const found = search?.trim() ? searchCondition(db, definition.table, search) : undefined
  let query = db.selectFrom(definition.table) as Records
  if (filter) query = query.where(compileFilter(db, definition, filter) as RawBuilder<boolean>)
  if (found) query = query.where(found as RawBuilder<boolean>)
  return query
}

function chosenFields(
  { id, fields, byName }: Definition,
  names: readonly string[] | undefined,
): CollectionField[] {
  if (!names) return fields
  return names.map((name) => {
    const field = byName.get(name)
    if (!field)
      throw userError('E_FIELD', `"${id}" has no field "${name}"`, {
        details: { collection: id, field: name },
      })
    return field
  })
}

interface Sort {
  ref: RawBuilder<unknown>
  /** What a cursor keeps of it. */
  value: RawBuilder<unknown>
  seq: RawBuilder<unknown>
  descending: boolean
  /** Whether blank values or others come first; one part only where none is blank. */
  phases: boolean[]
}

function readSort(vault: Vault, definition: Definition, { sort }: Pick<RecordSearch, 'sort'>): Sort {
  const seq = sql`${sql.ref(`${definition.table}.seq`)}`
  // Records are made in the order of their numbers, and those have the index.
  if (!sort || sort.field === 'createdAt')
    return { ref: seq, value: seq, seq, descending: (sort?.dir ?? 'desc') === 'desc', phases: [false] }
  const target: Target = getTarget(definition, sort.field)
  if (target.storage === 'json')
    throw userError('E_FIELD', `Records cannot be sorted by "${sort.field}", which holds lists or objects`)
  const descending = sort.dir === 'desc'
  checkSealed(vault, target, 'sort')
  const phases = target.nullable ? (descending ? [false, true] : [true, false]) : [false]
  const ref = sql`${sql.ref(target.ref)}`
  // A page goes on behind a value as it is stored: what is sealed must not be opened on the way.
  const value = target.storage === 'text' ? sql`replace(${ref}, '~e1', '~E1')` : ref
  return { ref, value, seq, descending, phases }
}

/** In the words in which the indexes are made, or PostgreSQL does not see that they fit. */
function ordered(query: Records, { ref, seq, descending }: Sort, { blank }: { blank: boolean }): Records {
  const bySeq = sql`${seq} ${sql.raw(descending ? 'desc' : 'asc')}`
  if (blank || ref === seq) return query.orderBy(bySeq)
  return query
    .orderBy(sql`${ref} ${sql.raw(descending ? 'desc nulls last' : 'asc nulls first')}`)
    .orderBy(bySeq)
}

function beyond({ ref, seq, descending }: Sort, { value, seq: last }: Position) {
  const sign = sql.raw(descending ? '<' : '>')
  if (value === null || ref === seq) return sql<boolean>`${seq} ${sign} ${last}`
  return sql<boolean>`(${ref}, ${seq}) ${sign} (${value}, ${last})`
}

function writePosition({ value, seq }: Position): string {
  return Buffer.from(JSON.stringify([value, seq])).toString('base64url')
}

function readPosition(cursor: string): Position {
  try {
    const [value, seq] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    const isValue = value === null || typeof value === 'string' || typeof value === 'number'
    if (isValue && typeof seq === 'number')
      return { value: typeof value === 'string' ? value.replaceAll('~E1', '~e1') : value, seq }
  } catch {
    // Falls through: whatever is wrong with it, it is not one of ours.
  }
  throw userError('E_CURSOR', 'The page cursor is not one that a search returned', {
    hint: 'Start again from the first page.',
  })
}
