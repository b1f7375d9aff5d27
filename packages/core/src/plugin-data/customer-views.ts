import { sql } from 'kysely'
import type { Engine } from '../db/database.ts'
import { isSealed, type ProfileColumn } from '../profiles/columns.ts'
import { visibleKey } from '../profiles/visible-key.ts'
import { neededFor, type Reader } from '../points/grants.ts'
import { patternFilter } from './pattern-filter.ts'
import type { PublishedView } from './views.ts'

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
        present: true,
      },
      ...columns.map((column) => ({
        name: column.name,
        description: column.title.en,
        expression:
          column.name === 'key' ? visibleKey(reader, { engine, table: 'p' }) : sql`p.${sql.ref(column.name)}`,
        needs: neededFor(reader, column),
        sealed: column.name === 'key' ? ('some' as const) : isSealed(column) ? ('all' as const) : undefined,
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
      { name: 'value', description: 'The identifier, in clear.', expression: sql`i.value`, sealed: 'some' },
      {
        name: 'first_seen_at',
        description: 'Time of the first event that named it.',
        expression: sql`i.first_seen_at`,
      },
    ],
    needs: { permission: 'profile.pii', name: kinds[0] ?? 'identifiers' },
    filtered: !kinds.includes('*'),
    source: () => sql`from identifiers i where ${patternFilter(sql`i.kind`, kinds)}`,
  }
}
