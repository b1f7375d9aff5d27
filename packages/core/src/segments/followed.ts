import { AppError } from '@huitou/plugin-api'
import { businessDaysIn } from '../days.ts'
import type { Db, Tx } from '../db/database.ts'
import type { Brand } from '../settings/brand.ts'
import { checkRule, readScope, type RuleScope } from './compile.ts'
import { type Mentions, mentionsOf, type Rule } from './rule.ts'

/** A segment that has a rule, with everything that can change its membership. */
export interface FollowedSegment {
  id: string
  rule: Rule
  /** The rule as stored: tells whether someone edited it meanwhile. */
  ruleText: string
  /** Business day of the last full evaluation; NULL when one is due. */
  evaluatedDay: number | null
  /** Through the segments it names. */
  mentions: Mentions
}

/** What the stage works from: the segments to keep up to date, and the world their rules are read in. */
export interface Followed {
  scope: RuleScope
  segments: FollowedSegment[]
  /** Segments whose reason for not being readable changed. */
  problems: { id: string; error: string | null }[]
}

/** The last reading of each database: rules and columns change rarely, customers all the time. */
const lastReadings = new WeakMap<object, { basis: string; followed: Followed }>()

/** Segments to keep up to date. One whose rule cannot be read now is marked with the reason and left alone. */
export async function readFollowed(db: Db, brand: Brand, now: number): Promise<Followed> {
  const rows = await db
    .selectFrom('segments')
    .select(['id', 'kind', 'rule', 'evaluated_day', 'error'])
    .where('active', '=', 1)
    .orderBy('id')
    .execute()
  const columns = await db
    .selectFrom('profile_columns')
    .select(['name', 'type', 'options'])
    .where('active', '=', 1)
    .orderBy('name')
    .execute()
  const today = businessDaysIn(brand.timeZone).dayOf(now)
  const basis = JSON.stringify([brand.timeZone, today, rows, columns])
  const known = lastReadings.get(db)
  if (known?.basis === basis) return known.followed
  const followed = toFollowed(rows, await readScope(db, brand, { now }))
  lastReadings.set(db, { basis, followed })
  return followed
}

interface SegmentRow {
  id: string
  rule: string | null
  evaluated_day: number | null
  error: string | null
}

function toFollowed(rows: readonly SegmentRow[], scope: RuleScope): Followed {
  const segments: FollowedSegment[] = []
  const problems: { id: string; error: string | null }[] = []
  for (const { id, rule: ruleText, evaluated_day, error } of rows) {
    const rule = scope.segments.get(id)?.rule
    if (!rule || ruleText === null) continue
    const problem = findProblem(rule, scope, id)
    if (problem !== error) problems.push({ id, error: problem })
    // What happened while it could not be read was not followed.
    const evaluatedDay = error === null ? evaluated_day : null
    if (problem === null)
      segments.push({ id, rule, ruleText, evaluatedDay, mentions: allMentions(rule, scope) })
  }
  return { scope, segments, problems }
}

function findProblem(rule: Rule, scope: RuleScope, id: string): string | null {
  try {
    checkRule(rule, scope, id)
    return null
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return JSON.stringify({ code: error.code, message: error.message, hint: error.hint })
  }
}

/** Stores reasons, and asks for a full evaluation where one went away. */
export async function writeProblems(
  db: Db | Tx,
  problems: readonly { id: string; error: string | null }[],
): Promise<void> {
  for (const { id, error } of problems) {
    await db
      .updateTable('segments')
      .set(error === null ? { error, evaluated_day: null } : { error })
      .where('id', '=', id)
      .execute()
  }
}

function allMentions(rule: Rule, scope: RuleScope): Mentions {
  const all = mentionsOf(rule)
  for (const id of all.segments) {
    // A set that grows while it is walked is walked to its end.
    const inner = scope.segments.get(id)?.rule
    if (!inner) continue
    const mentions = mentionsOf(inner)
    for (const column of mentions.columns) all.columns.add(column)
    for (const event of mentions.events) all.events.add(event)
    for (const segment of mentions.segments) all.segments.add(segment)
    all.time ||= mentions.time
  }
  return all
}
