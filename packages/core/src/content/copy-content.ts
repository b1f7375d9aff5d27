import type { Database, Db } from '../db/database.ts'

/** Puts templates, and the names of files, where nobody is written to: enough to tell what a message would say. */
export async function copyContent(from: Db, { db }: Pick<Database, 'db'>): Promise<void> {
  const templates = await from.selectFrom('content_templates').selectAll().execute()
  for (const template of templates) {
    const version = await from
      .selectFrom('content_template_versions')
      .selectAll()
      .where('template_id', '=', template.id)
      .where('version', '=', template.version)
      .executeTakeFirst()
    if (!version) continue
    await db.insertInto('content_templates').values(template).execute()
    await db.insertInto('content_template_versions').values(version).execute()
  }
  const files = await from
    .selectFrom('assets')
    .select(['id', 'name', 'type', 'size', 'created_at', 'created_by'])
    .execute()
  for (const file of files)
    await db
      .insertInto('assets')
      .values({ ...file, size: Number(file.size), bytes: Buffer.alloc(0) })
      .execute()
}
