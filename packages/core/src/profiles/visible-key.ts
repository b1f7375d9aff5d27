import { type ColumnVector, toTextVector } from '@huitou/plugin-api'
import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Engine } from '../db/database.ts'
import { isGranted, type Reader } from '../points/grants.ts'

/**
 * The stable outside id of a row of `profiles` that is called `table`. Where that is a phone number or an e-mail
 * address which the reader may not see, `#<customer id>` stands in its place.
 */
export function visibleKey(
  reader: Reader,
  { engine, table }: { engine: Engine; table: string },
): RawBuilder<string> {
  const key = sql.ref<string>(`${table}.key`)
  const hidden: RawBuilder<SqlBool>[] = []
  // A sealed key says what it is by how it begins; a text may hold either.
  const mayHave = (['phone', 'email'] as const).filter((kind) => isGranted(reader, 'profile.pii', kind))
  if (mayHave.length < 2) hidden.push(sql`substr(${key}, 1, 5) = '~e1t.'`)
  if (!mayHave.includes('phone')) {
    hidden.push(
      sql`substr(${key}, 1, 5) = '~e1p.'`,
      // The length comes first: it costs less than the pattern, and few keys have it.
      engine === 'postgres'
        ? sql`(${key} like '+%' or (length(${key}) = 11 and ${key} ~ '^1[3-9][0-9]{9}$'))`
        : sql`(${key} glob '+*' or (length(${key}) = 11 and ${key} glob '1[3-9][0-9]*'))`,
    )
  }
  if (!mayHave.includes('email')) hidden.push(sql`substr(${key}, 1, 5) = '~e1m.'`, sql`${key} like '%@%'`)
  if (hidden.length === 0) return sql`${key}`
  return sql`case when ${sql.join(hidden, sql` or `)} then '#' || ${sql.ref(`${table}.customer_id`)} else ${key} end`
}

/** The kind of personal data that a key is, when it is one. */
export function personalKind(key: string): 'phone' | 'email' | undefined {
  if (/^(?:\+|1[3-9][0-9]{9}$)/.test(key)) return 'phone'
  return key.includes('@') ? 'email' : undefined
}

/** The same for keys that were read already; `ids` are the customers', row for row. */
export function hideKeys(reader: Reader, keys: ColumnVector, ids: Float64Array): ColumnVector {
  const hidden = (['phone', 'email'] as const).filter((kind) => !isGranted(reader, 'profile.pii', kind))
  if (hidden.length === 0 || keys.kind !== 'text') return keys
  const kinds = keys.dictionary.map(personalKind)
  if (!hidden.some((kind) => kinds.includes(kind))) return keys
  return toTextVector(
    Array.from(keys.indexes, (index, row) => {
      const kind = kinds[index]
      return kind && hidden.includes(kind) ? `#${ids[row]}` : keys.dictionary[index]
    }),
  )
}
