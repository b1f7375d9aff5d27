import { type Kysely, sql } from 'kysely'
import { createFormatter } from '../cell-format.ts'
import type { CoreContext } from '../context.ts'
import { maskValue } from '../people/masking.ts'
import type { ProfileColumn } from '../profiles/columns.ts'
import { customerName, maskKey } from '../profiles/queries.ts'
import type { Cell, Table } from '../spreadsheet.ts'
import { getSegment } from './queries.ts'
import { getRuleColumn, readRuleColumns } from './rule-columns.ts'

const PAGE = 5_000

/** Members of a segment as a table, a page at a time in order of their ids; personal data masked. */
export async function exportSegment(
  context: Pick<CoreContext, 'database' | 'clock' | 'brand'>,
  id: string,
  options: { columns?: string[]; locale: 'en' | 'zh-CN' },
): Promise<Table> {
  const { database, brand } = context
  const segment = await getSegment(context, id)
  const known = await readRuleColumns(database.db)
  const columns = options.columns
    ? options.columns.map((name) => getRuleColumn(known, name))
    : [...known.values()].filter(isWorthExporting)
  const format = createFormatter(await brand(), options.locale)
  const first =
    options.locale === 'zh-CN' ? ['客户编号', '客户', '进入时间'] : ['Customer id', 'Customer', 'Joined']
  return {
    name: segment.title?.[options.locale] ?? segment.name,
    headers: [...first, ...columns.map(({ title }) => title[options.locale])],
    pages: pagesOf(database.analytics, id, { columns, format }),
  }
}

/** Id and name stand in front already. */
function isWorthExporting({ kind, logical }: ProfileColumn): boolean {
  return !(kind === 'core' && logical === 'key') && !(kind === 'trait' && logical === 'name')
}

async function* pagesOf(
  db: Kysely<any>,
  id: string,
  { columns, format }: { columns: readonly ProfileColumn[]; format: ReturnType<typeof createFormatter> },
): AsyncGenerator<Cell[][]> {
  const names = new Set([...columns.map(({ name }) => name), 'key'])
  const hasName = (await readRuleColumns(db)).has('t_name')
  if (hasName) names.add('t_name')
  for (let after = 0; ;) {
    const rows = (await db
      .selectFrom('segment_members as m')
      .innerJoin('profiles', 'profiles.customer_id', 'm.customer_id')
      .select(['m.customer_id as member_id', 'm.entered_at as joined_at'])
      .select([...names].map((name) => sql<unknown>`${sql.ref(`profiles.${name}`)}`.as(name)))
      .where('m.segment_id', '=', id)
      .where('m.customer_id', '>', after)
      .orderBy('m.customer_id')
      .limit(PAGE)
      .execute()) as Record<string, string | number | null>[]
    if (rows.length > 0) {
      yield rows.map((row) => [
        maskKey(String(row['key'])),
        customerName(row['t_name'], String(row['key'])),
        format(row['joined_at'] ?? null, { type: 'time' }),
        ...columns.map((column) => format(maskValue(row[column.name] ?? null, column), column)),
      ])
    }
    if (rows.length < PAGE) return
    after = Number(rows.at(-1)?.['member_id'])
  }
}
