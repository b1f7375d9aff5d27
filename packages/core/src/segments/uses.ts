import { type Expression, sql } from 'kysely'
import type { Db, Tx } from '../db/database.ts'
import { mentionsOf, type Rule } from './rule.ts'

/** What would lose its meaning without a segment. */
export interface SegmentUse {
  kind: 'segment' | 'journey' | 'experiment' | 'policy'
  id: string
  name: string
}

/** Segments whose rules name this one. */
export async function dependentsOf(
  db: Db | Tx,
  id: string,
): Promise<{ id: string; name: string; rule: Rule }[]> {
  const rows = await db
    .selectFrom('segments')
    .select(['id', 'name', 'rule'])
    .where('rule', 'is not', null)
    .execute()
  return rows
    .map((row) => ({ id: row.id, name: row.name, rule: JSON.parse(row.rule as string) as Rule }))
    .filter(({ rule }) => mentionsOf(rule).segments.has(id))
}

/**
 * Everything that names a segment: other segments, journeys that have not ended, as a draft or in force, experiments
 * that have not ended, and the contact policy. The stages behind this one are looked at and not called: a segment that
 * is gone would stop them later, without a word.
 */
export async function readUses(db: Db, id: string): Promise<SegmentUse[]> {
  const segments = await dependentsOf(db, id)
  const journeys = await db
    .selectFrom('journeys')
    .leftJoin('journey_versions', (join) =>
      join
        .onRef('journey_versions.journey_id', '=', 'journeys.id')
        .onRef('journey_versions.version', '=', 'journeys.published_version'),
    )
    .select(['journeys.id', 'journeys.name'])
    .where('journeys.state', '<>', 'ended')
    .where((where) =>
      where.or([names(sql.ref('journeys.draft'), id), names(sql.ref('journey_versions.definition'), id)]),
    )
    .orderBy('journeys.name')
    .execute()
  const experiments = await db
    .selectFrom('experiments')
    .select(['id', 'name'])
    .where('ended_at', 'is', null)
    .where(names(sql.ref('definition'), id))
    .execute()
  const policies = await db
    .selectFrom('settings')
    .select('name as id')
    .where('name', '=', 'contactPolicy')
    .where(names(sql.ref('value'), id))
    .execute()
  return [
    ...segments.map((each) => ({ kind: 'segment' as const, id: each.id, name: each.name })),
    ...journeys.map((each) => ({ kind: 'journey' as const, ...each })),
    ...experiments.map((each) => ({ kind: 'experiment' as const, ...each })),
    ...policies.map((each) => ({ kind: 'policy' as const, id: each.id, name: 'contact policy' })),
  ]
}

/** Ids of segments are long and random: where one stands in a definition, the segment is meant. */
function names(json: Expression<unknown>, id: string) {
  return sql<boolean>`cast(${json} as text) like ${`%${JSON.stringify(id)}%`}`
}
