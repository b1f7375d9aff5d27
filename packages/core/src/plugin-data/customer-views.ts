import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Engine } from '../db/database.ts'
import type { ProfileColumn } from '../profiles/columns.ts'
import { isGranted, refusedColumn } from './grants.ts'
import { patternFilter } from './pattern-filter.ts'
import type { PublishedView, Reader } from './views.ts'

/** One row a customer: the columns of the wide table that the reader was granted. */
export function profilesView(
  reader: Reader,
  engine: Engine,
  columns: readonly ProfileColumn[],
): PublishedView {
  return {
    name: 'profiles',
    description: 'One row for each customer: traits, features, scores and labels.',
    columns: [
      {
        name: 'customer_id',
        description: 'Number of the customer; changes when two turn out to be one person.',
        expression: sql`p.customer_id`,
      },
      ...columns.map((column) => ({
        name: column.name,
        description: column.title.en,
        expression: column.name === 'key' ? customerKey(reader, engine) : sql`p.${sql.ref(column.name)}`,
        refused: refusedColumn(reader, column),
      })),
    ],
    source: () => sql`from profiles p`,
  }
}

/** What a customer is known by, for the kinds that the reader was granted. */
export function identifiersView(reader: Reader): PublishedView {
  const kinds = reader.permissions['profile.pii'] ?? []
  return {
    name: 'identifiers',
    description: 'What customers are known by; only kinds that are granted under profile.pii.',
    columns: [
      { name: 'customer_id', description: 'Number of the customer.', expression: sql`i.customer_id` },
      {
        name: 'kind',
        description: '`phone`, `email`, `user_id`, `buyer_id:<shop>` …',
        expression: sql`i.kind`,
      },
      { name: 'value', description: 'The identifier, in clear.', expression: sql`i.value` },
      {
        name: 'first_seen_at',
        description: 'Time of the first event that named it.',
        expression: sql`i.first_seen_at`,
      },
    ],
    refused: kinds.length > 0 ? undefined : { permission: 'profile.pii', name: 'identifiers' },
    filtered: !kinds.includes('*'),
    source: () => sql`from identifiers i where ${patternFilter(sql`i.kind`, kinds)}`,
  }
}

/**
 * The customer's stable outside id, of the row `p`. Where that is a phone number or an e-mail address which the
 * reader may not see, `#<customer id>` stands in its place.
 */
export function customerKey(reader: Reader, engine: Engine): RawBuilder<string> {
  const hidden: RawBuilder<SqlBool>[] = []
  if (!isGranted(reader, 'profile.pii', 'phone')) {
    hidden.push(
      engine === 'postgres'
        ? sql`p.key ~ '^(\\+[0-9]{7,15}|1[3-9][0-9]{9})$'`
        : sql`(p.key glob '+[0-9]*' or (length(p.key) = 11 and p.key glob '1[3-9][0-9]*'))`,
    )
  }
  if (!isGranted(reader, 'profile.pii', 'email')) hidden.push(sql`p.key like '%@%'`)
  if (hidden.length === 0) return sql`p.key`
  return sql`case when ${sql.join(hidden, sql` or `)} then '#' || p.customer_id else p.key end`
}
