import { createHash } from 'node:crypto'
import type { ColumnType } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { Db, Tx } from '../db/database.ts'
import { insertRows, updateRows } from '../db/insert-rows.ts'
import { engineOf, type SqlType } from '../db/rows.ts'
import { vaultOf } from '../db/sealing.ts'
import { isSealedColumn } from '../people/personal-text.ts'
import type { Vault } from '../people/vault.ts'
import type { Text } from '../points/points.ts'
import type { Feature } from './definitions.ts'
import { findTagTitle } from './tag-trait.ts'

export interface ColumnOption {
  value: string
  title: Text
  description?: Text
  color?: string
  group?: string
}

/** A column of the wide row, as the registry knows it. */
export interface ProfileColumn {
  name: string
  /** Id inside its owner: the trait's key, the feature's id. */
  logical: string
  kind: 'core' | 'trait' | 'feature' | 'score' | 'label'
  owner: string
  type: ColumnType
  title: Text
  description: Text | null
  unit: Text | null
  options: ColumnOption[] | null
  pii: boolean
}

/** Distinct traits that become columns; further ones are kept with the profile but cannot be segmented by. */
export const TRAIT_COLUMN_LIMIT = 300

const SQL_TYPES: Record<ColumnType, 'text' | 'bigint' | 'double precision' | 'integer'> = {
  text: 'text',
  label: 'text',
  number: 'double precision',
  integer: 'bigint',
  money: 'bigint',
  time: 'bigint',
  boolean: 'integer',
}

/** Columns that other stages write; folding events leaves them as they are. */
const KEPT_APART: ProfileColumn[] = [
  core('consent_renew_by', 'time', {
    en: 'Consent to be renewed by',
    'zh-CN': '授权须在此前重新征求',
  }),
  core('consent_renew_text', 'text', {
    en: 'Consent text to be shown again',
    'zh-CN': '须重新征求的授权文本',
  }),
]

const CORE_COLUMNS: ProfileColumn[] = [
  core('key', 'text', { en: 'Customer id', 'zh-CN': '客户编号' }),
  core('first_seen_at', 'time', { en: 'First seen', 'zh-CN': '首次出现' }),
  core('last_seen_at', 'time', { en: 'Last seen', 'zh-CN': '最近出现' }),
  core('event_count', 'integer', { en: 'Events', 'zh-CN': '事件数' }),
  ...KEPT_APART,
]

const KNOWN_TRAITS: [key: string, title: Text, pii: boolean][] = [
  ['name', { en: 'Name', 'zh-CN': '姓名' }, true],
  ['phone', { en: 'Phone', 'zh-CN': '手机' }, true],
  ['email', { en: 'E-mail', 'zh-CN': '邮箱' }, true],
  ['gender', { en: 'Gender', 'zh-CN': '性别' }, false],
  ['birthday', { en: 'Birthday', 'zh-CN': '生日' }, true],
  ['province', { en: 'Province', 'zh-CN': '省份' }, false],
  ['city', { en: 'City', 'zh-CN': '城市' }, false],
  ['country', { en: 'Country', 'zh-CN': '国家' }, false],
  ['address', { en: 'Address', 'zh-CN': '地址' }, true],
  ['language', { en: 'Language', 'zh-CN': '语言' }, false],
]

/** Whether folding events writes the column. */
export function isFolded({ name, kind }: Pick<ProfileColumn, 'name' | 'kind'>): boolean {
  return kind === 'trait' || (kind === 'core' && !KEPT_APART.some((column) => column.name === name))
}

/** Whether every installation has a column for the trait. */
export function isStandardTrait(key: string): boolean {
  return KNOWN_TRAITS.some(([known]) => known === key)
}

/** Columns of every profile before any plugin or event adds some. */
export function standardColumns(): ProfileColumn[] {
  return [...CORE_COLUMNS, ...KNOWN_TRAITS.map(([key, title, pii]) => traitColumn(key, { title, pii }))]
}

/** Column of a trait. Keys that are no plain snake case get a digest, so that no two keys share a column. */
export function traitColumn(key: string, known?: { title: Text; pii: boolean }): ProfileColumn {
  const plain = /^[a-z][a-z0-9_]{0,48}$/.test(key)
  const snake = key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 40)
  const tagTitle = findTagTitle(key)
  const name = plain ? `t_${key}` : `t_${snake}_${createHash('sha256').update(key).digest('hex').slice(0, 6)}`
  return {
    name,
    logical: key,
    kind: 'trait',
    owner: 'core',
    type: 'text',
    title: known?.title ?? tagTitle ?? { en: key, 'zh-CN': key },
    description: null,
    unit: null,
    options: null,
    pii: known?.pii ?? (!tagTitle && /phone|mobile|e-?mail|address|birth|id_?card|passport|name$/i.test(key)),
  }
}

export function featureColumn(feature: Feature): ProfileColumn {
  return {
    name: feature.column,
    logical: feature.column,
    kind: 'feature',
    owner: feature.owner,
    type: feature.type,
    title: feature.title,
    description: feature.description,
    unit: feature.unit,
    options: null,
    pii: false,
  }
}

/** Columns in use, in the order they were added. */
export async function readColumns(db: Db | Tx): Promise<ProfileColumn[]> {
  const rows = await db
    .selectFrom('profile_columns')
    .selectAll()
    .where('active', '=', 1)
    .orderBy('position')
    .orderBy('name')
    .execute()
  return rows.map((row) => ({
    name: row.name,
    logical: row.logical,
    kind: row.kind,
    owner: row.owner,
    type: row.type as ColumnType,
    title: JSON.parse(row.title) as Text,
    description: row.description === null ? null : (JSON.parse(row.description) as Text),
    unit: row.unit === null ? null : (JSON.parse(row.unit) as Text),
    options: row.options === null ? null : (JSON.parse(row.options) as ColumnOption[]),
    pii: row.pii === 1,
  }))
}

/**
 * Adds columns to the wide row and to the registry, or brings their registration up to date. Existing data stays;
 * a column of a disabled plugin that comes back finds its values again.
 */
export async function addColumns(tx: Tx, columns: readonly ProfileColumn[]): Promise<void> {
  if (columns.length === 0) return
  const physical = await physicalColumns(tx)
  const missing = columns.filter(({ name }) => !physical.has(name))
  if (engineOf(tx) === 'postgres' && missing.length > 0) {
    const additions = missing.map(
      ({ name, type }) => sql`add column if not exists ${sql.ref(name)} ${sql.raw(SQL_TYPES[type])}`,
    )
    await sql`alter table profiles ${sql.join(additions)}`.execute(tx)
  } else {
    for (const { name, type } of missing)
      await sql`alter table profiles add column ${sql.ref(name)} ${sql.raw(SQL_TYPES[type])}`.execute(tx)
  }
  const { last } = await tx
    .selectFrom('profile_columns')
    .select(sql<number>`coalesce(max(position), 0)`.as('last'))
    .executeTakeFirstOrThrow()
  await tx
    .insertInto('profile_columns')
    .values(
      columns.map((column, index) => ({
        ...column,
        title: JSON.stringify(column.title),
        description: column.description && JSON.stringify(column.description),
        unit: column.unit && JSON.stringify(column.unit),
        options: column.options && JSON.stringify(column.options),
        pii: column.pii ? 1 : 0,
        position: last + index + 1,
        active: 1,
      })),
    )
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({
        title: (set) => set.ref('excluded.title'),
        description: (set) => set.ref('excluded.description'),
        unit: (set) => set.ref('excluded.unit'),
        options: (set) => set.ref('excluded.options'),
        type: (set) => set.ref('excluded.type'),
        active: 1,
      }),
    )
    .execute()
}

/** Takes columns out of use without touching their values. */
export async function retireColumns(tx: Tx, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  await tx.updateTable('profile_columns').set({ active: 0 }).where('name', 'in', names).execute()
}

/** A column and, where it may be personal, what says so. */
export interface WrittenColumn {
  name: string
  type: ColumnType
  logical?: string
  pii?: boolean
}

/** Writes the given columns of many customers at once; rows are made where there are none, unless only to `update`. */
export async function writeProfiles(
  tx: Tx,
  columns: readonly WrittenColumn[],
  given: readonly Record<string, unknown>[],
  { update = false }: { update?: boolean } = {},
): Promise<void> {
  const types = Object.fromEntries(
    columns.map(
      ({ name, type }) =>
        [name, SQL_TYPES[type] === 'text' ? 'text' : type === 'number' ? 'real' : 'integer'] as const,
    ),
  )
  const rows = sealedRows(vaultOf(tx), columns, given)
  const written = { rows, columns: { customer_id: 'integer', ...types } as Record<string, SqlType> }
  if (update) await updateRows(tx, 'profiles', { ...written, key: 'customer_id' })
  else
    await insertRows(tx, 'profiles', { ...written, conflict: { columns: ['customer_id'], then: 'replace' } })
}

/** Rows with what is personal sealed; names and birthdays are not. */
function sealedRows(
  vault: Vault,
  columns: readonly WrittenColumn[],
  rows: readonly Record<string, unknown>[],
): readonly Record<string, unknown>[] {
  const sealed = columns.filter(isSealed).map(({ name }) => name)
  if (sealed.length === 0 || !vault.isOpen) return rows
  return rows.map((row) => {
    const copy = { ...row }
    for (const name of sealed) {
      const value = copy[name]
      if (typeof value === 'string') copy[name] = vault.sealText(value)
    }
    return copy
  })
}

/** Whether the database keeps the column's values sealed, so that only whole values can be compared there. */
export function isSealed({ pii, type, logical }: WrittenColumn): boolean {
  return pii === true && isSealedColumn({ pii, type, logical: logical ?? '' })
}

async function physicalColumns(tx: Tx): Promise<Set<string>> {
  const rows =
    engineOf(tx) === 'postgres'
      ? await sql<{
          name: string
        }>`select column_name as name from information_schema.columns where table_name = 'profiles' and table_schema = current_schema()`.execute(
          tx,
        )
      : await sql<{ name: string }>`select name from pragma_table_info('profiles')`.execute(tx)
  return new Set(rows.rows.map(({ name }) => name))
}

function core(name: string, type: ColumnType, title: Text): ProfileColumn {
  return {
    name,
    logical: name,
    kind: 'core',
    owner: 'core',
    type,
    title,
    description: null,
    unit: null,
    options: null,
    pii: false,
  }
}
