import { setImmediate as breathe } from 'node:timers/promises'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { readCursor, writeCursor } from '../db/cursor.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import { idRows, rowsOf } from '../db/rows.ts'
import { EVERYBODY } from '../profiles/store.ts'
import { compileNodes, type RuleScope } from './compile.ts'
import { evaluateFully } from './evaluate.ts'
import type { Condition } from './conditions.ts'
import { type FollowedSegment, readFollowed, writeProblems } from './followed.ts'
import { applyChanges, type MembershipChange } from './membership.ts'

/** Changes read at once. */
const BATCH = 5_000
/** Changes that are followed at once, without asking a reader thread. */
const FEW = 50
/** Rules evaluated in one query. */
const RULES = 40

type StageContext = Pick<CoreContext, 'database' | 'clock' | 'brand'>

/**
 * Brings memberships up to the profiles: first the customers that changed, under the rules that look at what
 * changed; then one segment that is new, edited, or has not seen today yet, for everybody. Returns whether there
 * was anything to do, so that the caller goes on until there is not.
 */
export async function advanceSegments(context: StageContext): Promise<boolean> {
  const { database, clock, brand } = context
  const now = clock.now()
  const { scope, segments, problems } = await readFollowed(database.db, await brand(), now)
  if (problems.length > 0) await writeProblems(database.db, problems)
  const followed = await followChanges(context, { scope, segments, now })
  const due =
    segments.find(({ evaluatedDay }) => evaluatedDay === null) ??
    segments.find((segment) => isBehind(segment, scope.today))
  if (due) await evaluateFully(database, due, { scope, now })
  return followed || due !== undefined
}

function isBehind({ mentions, evaluatedDay }: FollowedSegment, today: number): boolean {
  return mentions.time && evaluatedDay !== null && evaluatedDay !== today
}

interface Moment {
  scope: RuleScope
  segments: readonly FollowedSegment[]
  now: number
}

/**
 * Reads a batch of profile changes, works out who joins and who leaves, and writes that and the consumption of
 * the batch in one transaction. For a large batch SQLite answers from a reader thread, so that ingestion goes on
 * meanwhile; a small one is done before a thread has been asked. PostgreSQL works inside the transaction, which keeps
 * other nodes out.
 */
async function followChanges(
  { database: { db, analytics, engine } }: StageContext,
  moment: Moment,
): Promise<boolean> {
  if (engine === 'sqlite' && (await isLarge(db))) {
    const batch = await readBatch(analytics, moment)
    if (batch.seqs.length === 0) return false
    await breathe()
    await transact(db, (tx) => writeBatch(tx, batch, moment))
    return true
  }
  return await transact(db, async (tx) => {
    await readCursor(tx, 'segments')
    const batch = await readBatch(tx, moment)
    if (batch.seqs.length === 0) return false
    await writeBatch(tx, batch, moment)
    return true
  })
}

async function isLarge(db: Db): Promise<boolean> {
  const rows = await db
    .selectFrom('profile_changes')
    .select('seq')
    .limit(FEW + 1)
    .execute()
  return rows.length > FEW
}

interface Batch {
  seqs: number[]
  changes: MembershipChange[]
  /** Customers that took another's place in a static list: rules naming the list are due for them. */
  heirs: number[]
  /** Segments to evaluate for everybody. */
  due: string[]
}

async function readBatch(db: Db | Tx, { scope, segments }: Moment): Promise<Batch> {
  const rows = await db
    .selectFrom('profile_changes')
    .select(['seq', 'customer_id', 'columns'])
    .orderBy('seq')
    .limit(BATCH)
    .execute()
  if (rows.length === 0) return { seqs: [], changes: [], heirs: [], due: [] }
  const customers = [...new Set(rows.map(({ customer_id }) => customer_id))].filter((id) => id !== EVERYBODY)
  const changed = columnsIn(rows)
  const changedForAll = columnsIn(rows.filter(({ customer_id }) => customer_id === EVERYBODY))
  const concerned = segments.filter((segment) => isConcerned(segment, changed))
  const { present, matches } = await evaluate(db, customers, { scope, segments: concerned })
  const members = await readMembers(
    db,
    customers,
    concerned.map(({ id }) => id),
  )
  const changes: MembershipChange[] = []
  for (const [index, { id }] of concerned.entries()) {
    const before = members.get(id)
    const after = matches[index] as Set<number>
    for (const customer of after)
      if (!before?.has(customer)) changes.push({ segment_id: id, customer_id: customer, entered: 1 })
    for (const customer of before ?? [])
      if (!after.has(customer)) changes.push({ segment_id: id, customer_id: customer, entered: 0 })
  }
  const vanished = customers.filter((id) => !present.has(id))
  const leftovers = vanished.length > 0 ? await followVanished(db, vanished, concerned) : []
  return {
    seqs: rows.map(({ seq }) => seq),
    changes: [...changes, ...leftovers],
    heirs: leftovers.filter(({ entered }) => entered === 1).map(({ customer_id }) => customer_id),
    due:
      changedForAll.size === 0
        ? []
        : segments.filter((segment) => isConcerned(segment, changedForAll)).map(({ id }) => id),
  }
}

function columnsIn(rows: readonly { columns: string }[]): Set<string> {
  return new Set(
    [...new Set(rows.map(({ columns }) => columns))].flatMap((text) => JSON.parse(text) as string[]),
  )
}

function isConcerned({ mentions }: FollowedSegment, changed: ReadonlySet<string>): boolean {
  if (changed.has('*')) return true
  for (const column of mentions.columns) if (changed.has(column)) return true
  for (const event of mentions.events) if (changed.has(`event:${event}`)) return true
  return false
}

// SQLite keeps the order of a cross join: it cannot know that the changed customers are few and the members many.

const compiled = new WeakMap<FollowedSegment, { scope: RuleScope; condition: Condition }>()

/** The segment's rule as SQL; compiled once for as long as rules, columns and the day stay the same. */
function conditionOf(segment: FollowedSegment, scope: RuleScope): Condition {
  const known = compiled.get(segment)
  if (known?.scope === scope) return known.condition
  const [condition] = compileNodes([segment.rule], scope, 'few').conditions as [Condition]
  compiled.set(segment, { scope, condition })
  return condition
}

/** Which of `customers` exist, and for each segment those that its rule finds. */
async function evaluate(
  db: Db | Tx,
  customers: number[],
  { scope, segments }: Pick<Moment, 'scope' | 'segments'>,
) {
  const present = new Set<number>()
  const matches = segments.map(() => new Set<number>())
  for (let start = 0; start === 0 || start < segments.length; start += RULES) {
    const part = segments.slice(start, start + RULES)
    const conditions = part.map((segment) => conditionOf(segment, scope))
    const rows = await db
      .selectFrom(idRows(db, customers))
      .crossJoin('profiles')
      .whereRef('profiles.customer_id', '=', 'r.id')
      .select('profiles.customer_id')
      .select(
        conditions.map((condition, index) =>
          sql<number>`case when ${condition} then 1 else 0 end`.as(`rule_${index}`),
        ),
      )
      .execute()
    for (const row of rows) {
      present.add(row.customer_id)
      for (let index = 0; index < part.length; index++) {
        if ((row as Record<string, number>)[`rule_${index}`] === 1)
          matches[start + index]?.add(row.customer_id)
      }
    }
  }
  return { present, matches }
}

async function readMembers(
  db: Db | Tx,
  customers: number[],
  segments: string[],
): Promise<Map<string, Set<number>>> {
  const members = new Map<string, Set<number>>()
  if (segments.length === 0) return members
  const rows = await db
    .selectFrom(idRows(db, customers))
    .crossJoin('segment_members')
    .whereRef('segment_members.customer_id', '=', 'r.id')
    .select(['segment_members.segment_id', 'segment_members.customer_id'])
    .where('segment_members.segment_id', 'in', segments)
    .execute()
  for (const { segment_id, customer_id } of rows) {
    const known = members.get(segment_id)
    if (known) known.add(customer_id)
    else members.set(segment_id, new Set([customer_id]))
  }
  return members
}

/** A customer that became part of another leaves everything; in static lists the other takes its place. */
async function followVanished(
  db: Db | Tx,
  vanished: number[],
  concerned: readonly FollowedSegment[],
): Promise<MembershipChange[]> {
  const handled = new Set(concerned.map(({ id }) => id))
  const rows = await db
    .selectFrom(idRows(db, vanished))
    .crossJoin('segment_members')
    .whereRef('segment_members.customer_id', '=', 'r.id')
    .innerJoin('segments', 'segments.id', 'segment_members.segment_id')
    .leftJoin('identifiers', 'identifiers.id', 'r.id')
    .leftJoin('profiles', 'profiles.customer_id', 'identifiers.customer_id')
    .select([
      'segments.id',
      'segments.kind',
      'segment_members.customer_id',
      'profiles.customer_id as survivor',
    ])
    .execute()
  return rows.flatMap(({ id, kind, customer_id, survivor }) => {
    const changes: MembershipChange[] = handled.has(id) ? [] : [{ segment_id: id, customer_id, entered: 0 }]
    if (kind === 'static' && survivor !== null)
      changes.push({ segment_id: id, customer_id: survivor, entered: 1 })
    return changes
  })
}

async function writeBatch(
  tx: Tx,
  { seqs, changes, heirs, due }: Batch,
  { scope, now }: Moment,
): Promise<void> {
  const consumed = await tx
    .deleteFrom('profile_changes')
    .where('seq', 'in', (where) =>
      where
        .selectFrom(
          rowsOf(
            tx,
            seqs.map((seq) => ({ seq })),
            { seq: 'integer' },
          ),
        )
        .select('r.seq'),
    )
    .returning('seq')
    .execute()
  // Someone else took the batch meanwhile and has written what follows from it, and perhaps from later ones.
  if (consumed.length < seqs.length) return
  await readCursor(tx, 'segments')
  await applyChanges(tx, changes, { now, day: scope.today })
  if (due.length > 0)
    await tx.updateTable('segments').set({ evaluated_day: null }).where('id', 'in', due).execute()
  if (heirs.length > 0) {
    await tx
      .insertInto('profile_changes')
      .values([...new Set(heirs)].map((customer_id) => ({ customer_id, columns: '["*"]' })))
      .execute()
  }
  await writeCursor(tx, 'segments', Math.max(...seqs))
}
