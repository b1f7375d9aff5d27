import { notFound, userError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import { v7 as uuid } from 'uuid'
import type { CoreContext } from '../context.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import type { Text } from '../points/points.ts'
import { checkRule, readScope } from './compile.ts'
import { parseRule, type Rule } from './rule.ts'
import type { SegmentTables } from './tables.ts'
import { dependentsOf, readUses } from './uses.ts'

export interface Segment {
  id: string
  /** In the brand's language. */
  name: string
  /** In every language, when it comes from a plugin. */
  title: Text | null
  kind: 'dynamic' | 'builtin' | 'static'
  /** Plugin it comes from, or `user`. */
  owner: string
  /** What a plugin's labels are labels of, for instance RFM segments. */
  group: string | null
  groupTitle: Text | null
  color: string | null
  count: number
  entered24h: number
  left24h: number
  createdAt: number
  updatedAt: number
  rule: Rule | null
  /** `evaluating` until everybody has been looked at under the present rule. */
  state: 'ready' | 'evaluating' | 'error'
  error: { code: string; message: string; hint?: string } | null
}

type SegmentContext = Pick<CoreContext, 'database' | 'clock' | 'brand'>
type Row = Omit<SegmentTables['segments'], 'member_count' | 'active'> & {
  member_count: number
  entered: number
  left: number
}

const DAY = 86_400_000
const NAME_LIMIT = 80

/** Segments in use: those of plugins first, then by name. */
export async function listSegments({ database, clock, brand }: SegmentContext): Promise<Segment[]> {
  const { locale } = await brand()
  const rows = await segmentRows(database.db, clock.now()).where('active', '=', 1).execute()
  const segments = rows.map((row) => toSegment(row, locale))
  const collator = new Intl.Collator(locale)
  return segments.toSorted(
    (a, b) =>
      Number(b.kind === 'builtin') - Number(a.kind === 'builtin') ||
      (a.kind === 'builtin' ? 0 : collator.compare(a.name, b.name)),
  )
}

export async function getSegment({ database, clock, brand }: SegmentContext, id: string): Promise<Segment> {
  const row = await segmentRows(database.db, clock.now())
    .where('active', '=', 1)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw notFound('Segment', id)
  return toSegment(row, (await brand()).locale)
}

/** Stores a segment that follows its rule; the stage fills it at its next turn. */
export async function createSegment(
  context: SegmentContext,
  { name, rule }: { name: string; rule: Rule },
): Promise<Segment> {
  const { database, clock, brand } = context
  const id = uuid()
  const now = clock.now()
  checkRule(rule, await readScope(database.db, await brand(), { now, changed: { id, rule } }), id)
  await insertSegment(database.db, { id, name, rule, now })
  return await getSegment(context, id)
}

/** Changes name, rule or both. A list has no rule, and what a plugin brought stays as it is. */
export async function updateSegment(
  context: SegmentContext,
  id: string,
  change: { name?: string; rule?: Rule },
): Promise<Segment> {
  const { database, clock, brand } = context
  const before = await getSegment(context, id)
  if (before.kind === 'builtin') throw builtinError(before.name)
  if (before.kind === 'static' && change.rule) {
    throw userError('E_SEGMENT_STATIC', `"${before.name}" is a list of customers and has no rule`)
  }
  const now = clock.now()
  const rule = change.rule
  if (rule) checkRule(rule, await readScope(database.db, await brand(), { now, changed: { id, rule } }), id)
  const sameRule = !rule || JSON.stringify(rule) === JSON.stringify(before.rule)
  await database.db
    .updateTable('segments')
    .set({
      updated_at: now,
      ...(change.name === undefined ? {} : { name: checkName(change.name) }),
      ...(sameRule ? {} : { rule: JSON.stringify(rule), evaluated_day: null, error: null }),
    })
    .where('id', '=', id)
    .execute()
  if (!sameRule) await reevaluateDependents(database.db, id)
  return await getSegment(context, id)
}

/** Takes a segment away, unless something is built on it. */
export async function deleteSegment(context: SegmentContext, id: string): Promise<void> {
  const { database } = context
  const segment = await getSegment(context, id)
  if (segment.kind === 'builtin') throw builtinError(segment.name)
  const users = await readUses(database.db, id)
  if (users.length > 0) {
    const names = users.map(({ name }) => `"${name}"`).join(', ')
    throw userError('E_SEGMENT_IN_USE', `"${segment.name}" is used by ${names}`, {
      status: 409,
      hint: 'Take it out of their rules first.',
      details: { names, uses: users },
    })
  }
  await transact(database.db, async (tx) => {
    await tx.deleteFrom('segments').where('id', '=', id).execute()
    for (const table of ['segment_members', 'segment_days', 'segment_changes'] as const) {
      await tx.deleteFrom(table).where('segment_id', '=', id).execute()
    }
  })
}

/** Keeps the present members as a list that does not change. */
export async function snapshotSegment(context: SegmentContext, id: string, name: string): Promise<Segment> {
  const { database, clock } = context
  const source = await getSegment(context, id)
  const copy = uuid()
  const now = clock.now()
  await transact(database.db, async (tx) => {
    await insertSegment(tx, { id: copy, name, rule: null, now })
    await tx
      .insertInto('segment_members')
      .columns(['segment_id', 'customer_id', 'entered_at'])
      .expression(
        tx
          .selectFrom('segment_members')
          .select((row) => [
            row.val(copy).as('segment_id'),
            'customer_id',
            row.cast<number>(row.val(now), 'bigint').as('entered_at'),
          ])
          .where('segment_id', '=', source.id),
      )
      .execute()
    const { count } = await tx
      .selectFrom('segment_members')
      .select((row) => row.fn.countAll<number>().as('count'))
      .where('segment_id', '=', copy)
      .executeTakeFirstOrThrow()
    await tx.updateTable('segments').set({ member_count: count }).where('id', '=', copy).execute()
  })
  return await getSegment(context, copy)
}

/** Segments a customer is in, with the time of joining. */
export async function segmentsOfCustomer(
  { database, brand }: Pick<CoreContext, 'database' | 'brand'>,
  customerId: number,
): Promise<
  { id: string; name: string; title: Text | null; color: string | null; since: number; rule: Rule | null }[]
> {
  const { locale } = await brand()
  const rows = await database.db
    .selectFrom('segment_members')
    .innerJoin('segments', 'segments.id', 'segment_members.segment_id')
    .select([
      'segments.id',
      'segments.name',
      'segments.display',
      'segments.rule',
      'segment_members.entered_at',
    ])
    .where('segment_members.customer_id', '=', customerId)
    .where('segments.active', '=', 1)
    .orderBy('segment_members.entered_at', 'desc')
    .orderBy('segments.id')
    .execute()
  return rows.map(({ id, name, display, rule, entered_at }) => ({
    id,
    ...toNames(name, display, locale),
    since: entered_at,
    rule: rule === null ? null : parseStored(rule),
  }))
}

/** Asks for a full evaluation of every segment, for instance after the time zone changed. */
export async function reevaluateAll(db: Db | Tx): Promise<void> {
  await db.updateTable('segments').set({ evaluated_day: null }).where('rule', 'is not', null).execute()
}

function segmentRows(db: Db, now: number) {
  const moved = (entered: 0 | 1) =>
    sql<number>`(select count(*) from segment_changes c where c.segment_id = segments.id and c.at > ${now - DAY} and c.entered = ${sql.lit(entered)})`
  return db
    .selectFrom('segments')
    .select([
      'id',
      'name',
      'kind',
      'owner',
      'rule',
      'created_at',
      'updated_at',
      'evaluated_day',
      'member_count',
      'error',
      'display',
    ])
    .select([moved(1).as('entered'), moved(0).as('left')])
    .orderBy('created_at')
    .orderBy('id')
}

function toSegment(row: Row, locale: keyof Text): Segment {
  const { name, title, color, groupTitle } = toNames(row.name, row.display, locale)
  return {
    id: row.id,
    name,
    title,
    kind: row.kind,
    owner: row.owner,
    group: groupTitle?.[locale] ?? null,
    groupTitle,
    color,
    count: row.member_count,
    entered24h: row.entered,
    left24h: row.left,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    rule: row.rule === null ? null : parseStored(row.rule),
    state:
      row.error !== null ? 'error' : row.rule !== null && row.evaluated_day === null ? 'evaluating' : 'ready',
    error: row.error === null ? null : (JSON.parse(row.error) as Segment['error']),
  }
}

function toNames(name: string, display: string | null, locale: keyof Text) {
  if (display === null) return { name, title: null, color: null, groupTitle: null }
  const { title, color, group } = JSON.parse(display) as { title: Text; color: string | null; group: Text }
  return { name: title[locale], title, color, groupTitle: group }
}

function parseStored(rule: string): Rule {
  return JSON.parse(rule) as Rule
}

async function insertSegment(
  db: Db | Tx,
  { id, name, rule, now }: { id: string; name: string; rule: Rule | null; now: number },
) {
  await db
    .insertInto('segments')
    .values({
      id,
      name: checkName(name),
      kind: rule ? 'dynamic' : 'static',
      owner: 'user',
      rule: rule ? JSON.stringify(parseRule(rule)) : null,
      created_at: now,
      updated_at: now,
      evaluated_day: null,
      error: null,
      display: null,
    })
    .execute()
}

function checkName(name: string): string {
  const trimmed = name.trim()
  if (trimmed === '' || trimmed.length > NAME_LIMIT) {
    throw userError('E_SEGMENT_NAME', `A segment needs a name of at most ${NAME_LIMIT} characters`)
  }
  return trimmed
}

/** Segments built on a changed one, however indirectly, are evaluated again as well. */
async function reevaluateDependents(db: Db | Tx, id: string): Promise<void> {
  const found = new Set([id])
  for (const each of found) for (const user of await dependentsOf(db, each)) found.add(user.id)
  await db
    .updateTable('segments')
    .set({ evaluated_day: null })
    .where('id', 'in', [...found])
    .execute()
}

function builtinError(name: string) {
  return userError('E_SEGMENT_BUILTIN', `"${name}" comes from a plugin and follows it`, {
    status: 409,
    hint: 'Make a segment of your own that names it.',
  })
}
