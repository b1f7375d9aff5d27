import { transact, type Database, type Tx } from '../db/database.ts'
import type { Points } from '../points/points.ts'
import { columnName } from '../profiles/definitions.ts'
import type { Rule } from './rule.ts'

/**
 * Makes one segment of every label that an enabled plugin gives customers, and puts those of disabled plugins
 * aside: they keep their id and history, so that rules naming them work again when the plugin does.
 */
export async function syncBuiltinSegments(
  { db }: Pick<Database, 'db'>,
  points: Points,
  now: number,
): Promise<void> {
  const wanted = builtinsOf(points)
  await transact(db, async (tx) => {
    const present = await tx
      .selectFrom('segments')
      .select(['id', 'rule', 'display', 'active'])
      .where('kind', '=', 'builtin')
      .execute()
    const known = new Map(present.map((row) => [row.id, row]))
    for (const [id, { owner, name, rule, display }] of wanted) {
      const before = known.get(id)
      if (before?.active === 1 && before.rule === rule && before.display === display) continue
      await tx
        .insertInto('segments')
        .values({
          id,
          name,
          kind: 'builtin',
          owner,
          rule,
          display,
          created_at: now,
          updated_at: now,
          evaluated_day: null,
          error: null,
          active: 1,
        })
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet({
            name,
            owner,
            rule,
            display,
            updated_at: now,
            evaluated_day: null,
            error: null,
            active: 1,
          }),
        )
        .execute()
    }
    const gone = present.filter(({ id, active }) => active === 1 && !wanted.has(id)).map(({ id }) => id)
    if (gone.length > 0) await tx.updateTable('segments').set({ active: 0 }).where('id', 'in', gone).execute()
  })
}

/** Takes the segments of a plugin's labels out, members and history as well. */
export async function eraseBuiltinSegments(tx: Tx, owner: string): Promise<void> {
  const ids = tx.selectFrom('segments').select('id').where('owner', '=', owner).where('kind', '=', 'builtin')
  for (const table of ['segment_members', 'segment_changes', 'segment_days'] as const)
    await tx.deleteFrom(table).where('segment_id', 'in', ids).execute()
  await tx.deleteFrom('segments').where('owner', '=', owner).where('kind', '=', 'builtin').execute()
}

function builtinsOf(points: Points) {
  const wanted = new Map<string, { owner: string; name: string; rule: string; display: string }>()
  for (const { owner, value } of points.segmenters.list()) {
    for (const label of value.labels) {
      const title = owner.text(label.title)
      const rule: Rule = { all: [{ column: columnName(owner.prefix, value.id), op: 'is', value: label.id }] }
      wanted.set(`builtin:${owner.prefix}.${value.id}.${label.id}`, {
        owner: owner.plugin,
        name: title.en,
        rule: JSON.stringify(rule),
        display: JSON.stringify({ title, color: label.color ?? null, group: owner.text(value.title) }),
      })
    }
  }
  return wanted
}
