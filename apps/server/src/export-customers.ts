import type { Database } from '@huitou/core'
import { stringify } from 'csv-stringify/sync'
import { sql } from 'kysely'

const PAGE = 2_000

/** Prefix of the columns with identifiers, one a kind. */
const IDENTIFIER_PREFIX = 'id_'

export interface CustomerExport {
  format: 'csv' | 'jsonl'
  segmentId?: string | undefined
}

/**
 * Every customer as one line of text, the heading first for CSV. Columns are the profile's own names, and
 * `id_<kind>` with the identifiers of that kind, joined by spaces. Reads page by page; nothing is masked.
 */
export async function* exportCustomers(
  { analytics }: Database,
  { format, segmentId }: CustomerExport,
): AsyncGenerator<string> {
  const columns = await analytics
    .selectFrom('profile_columns')
    .select('name')
    .where('active', '=', 1)
    .orderBy('position')
    .execute()
  const kinds = await analytics.selectFrom('identifiers').select('kind').distinct().orderBy('kind').execute()
  const names = [...new Set(['customer_id', ...columns.map(({ name }) => name)])]
  const headings = [...names, ...kinds.map(({ kind }) => `${IDENTIFIER_PREFIX}${kind}`)]
  if (format === 'csv') yield stringify([headings])
  for (let after = 0; ;) {
    let query = analytics
      .selectFrom('profiles')
      .select(names.map((name) => sql.ref(name).as(name)))
      .where('customer_id', '>', after)
      .orderBy('customer_id')
      .limit(PAGE)
    if (segmentId !== undefined) {
      query = query.where('customer_id', 'in', (where) =>
        where
          .selectFrom('segment_members')
          .select('segment_members.customer_id')
          .where('segment_id', '=', segmentId),
      )
    }
    const rows = (await query.execute()) as Record<string, string | number | null>[]
    const last = rows.at(-1)
    if (!last) return
    const identifiers = await readIdentifiers(analytics, after, Number(last['customer_id']))
    for (const row of rows) {
      const own = identifiers.get(Number(row['customer_id']))
      if (format === 'jsonl') yield `${JSON.stringify({ ...row, identifiers: own ?? {} })}\n`
      else {
        const cells = [...names.map((name) => row[name]), ...kinds.map(({ kind }) => own?.[kind]?.join(' '))]
        // A cell that begins like a formula is one, once the file is opened in a spreadsheet.
        yield stringify([cells], { escape_formulas: true })
      }
    }
    after = Number(last['customer_id'])
  }
}

async function readIdentifiers(analytics: Database['analytics'], after: number, last: number) {
  const rows = await analytics
    .selectFrom('identifiers')
    .select(['customer_id', 'kind', 'value'])
    .where('customer_id', '>', after)
    .where('customer_id', '<=', last)
    .orderBy('id')
    .execute()
  const found = new Map<number, Record<string, string[]>>()
  for (const { customer_id, kind, value } of rows) {
    let own = found.get(customer_id)
    if (!own) found.set(customer_id, (own = {}))
    ;(own[kind] ??= []).push(value)
  }
  return found
}
