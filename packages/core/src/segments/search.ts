import { userError } from '@huitou/plugin-api'
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { normalizeIdentifier } from '../identity/identifiers.ts'
import { maskValue } from '../people/masking.ts'
import { lookupsOf } from '../people/identifier-lookup.ts'
import { sameText } from '../people/sealed-conditions.ts'
import { isSealed, type ProfileColumn } from '../profiles/columns.ts'
import { customerName } from '../profiles/queries.ts'
import { compileNodes, fromProfiles, readScope, type RuleScope } from './compile.ts'
import { sealedError } from './conditions.ts'
import { classOf, getRuleColumn } from './rule-columns.ts'
import type { Rule } from './rule.ts'

/** Whom a list of customers shows; everybody if empty. */
export interface CustomerFilter {
  rule?: Rule | undefined
  segmentId?: string | undefined
  /** A name, phone, e-mail or other id, or part of a name. */
  search?: string | undefined
}

export interface CustomerSearch extends CustomerFilter {
  sort?: { column: string; dir: 'asc' | 'desc' }
  /** Columns to return. */
  columns?: string[]
  /** The `cursor` of the page before. */
  cursor?: string
  limit: number
}

export interface CustomerPage {
  rows: { id: number; name: string; avatarText: string; columns: Record<string, string | number | null> }[]
  /** Customers found, counted when the first page was. */
  total: number
  cursor?: string
}

type SearchContext = Pick<CoreContext, 'database' | 'clock' | 'brand'>
type Value = string | number | null

/** Where a page ended. */
interface Position {
  value: Value
  id: number
  total: number
}

/** A page of customers, personal data masked. Customers without a value in the sorted column come last. */
export async function searchCustomers(context: SearchContext, search: CustomerSearch): Promise<CustomerPage> {
  const { database, brand, clock } = context
  const scope = await readScope(database.db, await brand(), { now: clock.now() })
  const shown = (search.columns ?? []).map((name) => getRuleColumn(scope.columns, name))
  const sort = getRuleColumn(scope.columns, search.sort?.column ?? 'last_seen_at')
  const descending = (search.sort?.dir ?? 'desc') === 'desc'
  const after = search.cursor === undefined ? undefined : readPosition(search.cursor)
  const ref = orderable(sort, scope)
  const found = foundBy(database.analytics, search, scope)
  const page = found
    .$if(after !== undefined, (query) => query.where(afterPosition(ref, after as Position, descending)))
    .select(['profiles.customer_id as id', 'profiles.key as key'])
    .select(sql<Value>`${sql.ref(`profiles.${sort.name}`)}`.as('sort_value'))
    .$if(scope.columns.has('t_name'), (query) => query.select('profiles.t_name as t_name'))
    .select(
      shown.map((column, index) => sql<Value>`${sql.ref(`profiles.${column.name}`)}`.as(`column_${index}`)),
    )
    .orderBy(sql`case when ${ref} is null then 1 else 0 end`)
    .orderBy(sql`${ref} ${sql.raw(descending ? 'desc' : 'asc')}`)
    .orderBy('profiles.customer_id')
    .limit(search.limit + 1)
  const [rows, total] = await Promise.all([
    page.execute() as Promise<Record<string, Value>[]>,
    after?.total ??
      found
        .select(sql<number>`count(*)`.as('total'))
        .executeTakeFirstOrThrow()
        .then((row) => (row as { total: number }).total),
  ])
  const kept = rows.slice(0, search.limit)
  const last = kept.at(-1)
  const more = rows.length > search.limit && last
  return {
    rows: kept.map((row) => toRow(row, shown)),
    total,
    ...(more
      ? { cursor: writePosition({ value: last['sort_value'] ?? null, id: Number(last['id']), total }) }
      : {}),
  }
}

/** Ids of the customers that a list shows, up to `limit`. */
export async function findCustomerIds(
  { database, brand, clock }: SearchContext,
  filter: CustomerFilter,
  limit: number,
): Promise<number[]> {
  const scope = await readScope(database.db, await brand(), { now: clock.now() })
  const rows = await foundBy(database.analytics, filter, scope)
    .select('profiles.customer_id as id')
    .orderBy('profiles.customer_id')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => Number(id))
}

function foundBy(db: Kysely<any>, { rule, segmentId, search }: CustomerFilter, scope: RuleScope) {
  const { conditions, joins } = compileNodes(rule ? [rule] : [], scope, 'all')
  if (segmentId !== undefined) conditions.push(memberCondition(segmentId))
  if (search?.trim()) conditions.push(textCondition(search.trim(), scope))
  return fromProfiles(db, joins).where(
    sql<boolean>`${conditions.length > 0 ? sql.join(conditions, sql` and `) : sql`1 = 1`}`,
  )
}

function memberCondition(id: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`(exists (select 1 from segment_members m where m.segment_id = ${id} and m.customer_id = profiles.customer_id))`
}

/** An id in any spelling that identity knows, the last four digits of a phone, the customer's own key, or part of a name. */
function textCondition(text: string, scope: RuleScope): RawBuilder<SqlBool> {
  const spellings = new Set(
    [text, ...['phone', 'email', 'user_id'].map((kind) => normalizeIdentifier(kind, text))].filter(
      (value) => value !== undefined,
    ),
  )
  const { vault } = scope
  const lookups = [...spellings].flatMap((spelling) => lookupsOf(vault, spelling))
  const alternatives = [
    identifiedBy(sql`coalesce(i.lookup, i.value)`, lookups),
    sameText(vault, sql`profiles.key`, [text]),
  ]
  // A sealed number cannot be searched for a part; its last four digits are kept as a digest.
  if (/^\d{4}$/.test(text) && vault.isOpen) alternatives.push(identifiedBy(sql`i.tail`, vault.tailsOf(text)))
  if (scope.columns.has('t_name')) {
    alternatives.push(
      ...compileNodes([{ column: 't_name', op: 'contains', value: text.slice(0, 200) }], scope, 'few')
        .conditions,
    )
  }
  return sql<SqlBool>`(${sql.join(alternatives, sql` or `)})`
}

function identifiedBy(cell: RawBuilder<unknown>, values: readonly string[]): RawBuilder<SqlBool> {
  return sql<SqlBool>`profiles.customer_id in (select i.customer_id from identifiers i where ${cell} in (${sql.join(values)}))`
}

/** Text sorts by code point on both engines. */
function orderable(column: ProfileColumn, { engine, vault }: RuleScope): RawBuilder<unknown> {
  if (isSealed(column) && vault.isOpen) throw sealedError(column.name, 'sort')
  const ref = sql.ref(`profiles.${column.name}`)
  return engine === 'postgres' && classOf(column.type) === 'text' ? sql`${ref} collate "C"` : sql`${ref}`
}

function afterPosition(
  ref: RawBuilder<unknown>,
  { value, id }: Position,
  descending: boolean,
): RawBuilder<boolean> {
  const later = sql`profiles.customer_id > ${id}`
  if (value === null) return sql<boolean>`(${ref} is null and ${later})`
  const beyond = sql`${ref} ${sql.raw(descending ? '<' : '>')} ${value}`
  return sql<boolean>`(${beyond} or (${ref} = ${value} and ${later}) or ${ref} is null)`
}

function toRow(row: Record<string, Value>, shown: readonly ProfileColumn[]): CustomerPage['rows'][number] {
  const name = customerName(row['t_name'], String(row['key']))
  return {
    id: Number(row['id']),
    name,
    avatarText: [...name.replace(/^[+\d*]+$/, '')][0]?.toUpperCase() ?? '#',
    columns: Object.fromEntries(
      shown.map((column, index) => [column.name, maskValue(row[`column_${index}`] ?? null, column)]),
    ),
  }
}

function writePosition(position: Position): string {
  return Buffer.from(JSON.stringify([position.value, position.id, position.total])).toString('base64url')
}

function readPosition(cursor: string): Position {
  try {
    const [value, id, total] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    const isValue = value === null || typeof value === 'string' || typeof value === 'number'
    if (isValue && typeof id === 'number' && typeof total === 'number') return { value, id, total }
  } catch {
    // Falls through: whatever is wrong with it, it is not one of ours.
  }
  throw userError('E_CURSOR', 'The page cursor is not one that a search returned', {
    hint: 'Start again from the first page.',
  })
}
