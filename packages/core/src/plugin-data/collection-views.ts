import { sql } from 'kysely'
import { type CollectionField, type Definition, getDefinition } from '../collections/definition.ts'
import type { CoreContext } from '../context.ts'
import { isGranted, type Reader } from '../points/grants.ts'
import type { PublishedView, ViewColumn } from './views.ts'

/**
 * Collections as tables with a column for each field: a plugin's own as `collections.<id>`, and every one that it may
 * use by its full id.
 */
export async function collectionViews(
  { database, points }: Pick<CoreContext, 'database' | 'points'>,
  reader: Reader,
): Promise<PublishedView[]> {
  const views: PublishedView[] = []
  for (const { id, owner } of points.collections.list()) {
    const own = owner.plugin === reader.id
    if (!own && !isGranted(reader, 'collections', id)) continue
    const view = viewOf(await getDefinition(database.db, id, points))
    views.push(view)
    if (own) views.push({ ...view, name: `collections.${id.slice(id.indexOf('/') + 1)}` })
  }
  return views
}

function viewOf({ id, table, fields }: Definition): PublishedView {
  const system: ViewColumn[] = [
    { name: 'id', description: 'Id of the record.', expression: sql`c.id`, present: true },
    { name: 'version', description: 'Grows by one with every change.', expression: sql`c.version` },
    {
      name: 'created_at',
      description: 'When it was made, epoch milliseconds.',
      expression: sql`c.created_at`,
      present: true,
    },
    {
      name: 'updated_at',
      description: 'When it last changed.',
      expression: sql`c.updated_at`,
      present: true,
    },
  ]
  const names = new Set(system.map(({ name }) => name))
  return {
    name: id,
    description: 'One row for each record of the collection.',
    columns: [...system, ...fields.filter(({ name }) => !names.has(name)).map(columnOf)],
    source: () => sql`from ${sql.table(table)} c`,
  }
}

/** A customer is read as who it is today. */
function columnOf({ name, column, kind }: CollectionField): ViewColumn {
  const stored = sql`c.${sql.ref(column)}`
  const expression =
    kind === 'customer'
      ? sql`coalesce((select i.customer_id from identifiers i where i.id = ${stored}), ${stored})`
      : stored
  return { name, description: `Field "${name}".`, expression }
}
