import { type ColumnVector, toNumberVector, toTextVector, userError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { rowsOf } from '../db/rows.ts'
import { refusedColumn } from '../points/grants.ts'
import { type ProfileColumn, readColumns } from '../profiles/columns.ts'
import { hideKeys } from '../profiles/visible-key.ts'
import type { JourneyNode } from './definition.ts'
import type { KnownJourneys } from './known.ts'

const BATCH = 2_000
const ANSWER_MS = 30_000
/** A plugin that fails is asked again after this; whoever stands there waits. */
const TRY_AGAIN_MS = 60_000

type Context = Pick<CoreContext, 'database' | 'clock' | 'points' | 'log'>
type Case = Extract<JourneyNode, { type: 'branch' }>['cases'][number]
type Question = NonNullable<Case['condition']>

interface Standing {
  id: number
  visit: number
  journey_id: string
  version: number
  node: string
  customer_id: number
}

/**
 * What plugins say of those who stand at branches now, for each case of the branch, by enrolment and visit. Asked
 * outside of any transaction, and used within the same turn: nothing that is known of a customer is older than that.
 * Who cannot be told about because a plugin fails is put off by a minute. A condition that is not there holds for nobody.
 */
export async function askConditions(
  context: Context,
  known: KnownJourneys,
): Promise<(enrolmentId: number, visit: number) => readonly boolean[] | undefined> {
  const answers = new Map<string, boolean[]>()
  const look = (id: number, visit: number) => answers.get(`${id} ${visit}`)
  if (known.asking.length === 0) return look
  const standing = await readStanding(context, known)
  const questions = new Map<string, { question: Question; asked: { row: Standing; index: number }[] }>()
  for (const row of standing) {
    const node = known.definition(row.journey_id, row.version)?.nodes[row.node]
    if (node?.type !== 'branch') continue
    answers.set(
      `${row.id} ${row.visit}`,
      node.cases.map(() => false),
    )
    node.cases.forEach(({ condition }, index) => {
      if (!condition) return
      const key = JSON.stringify([condition.id, condition.options])
      const known = questions.get(key) ?? { question: condition, asked: [] }
      questions.set(key, known)
      known.asked.push({ row, index })
    })
  }
  for (const { question, asked } of questions.values()) {
    try {
      const fitting = await whoHolds(
        context,
        question,
        asked.map(({ row }) => row.customer_id),
      )
      for (const { row, index } of asked) {
        const cases = look(row.id, row.visit)
        if (cases) cases[index] = fitting.has(row.customer_id)
      }
    } catch (error) {
      context.log.warn(
        { condition: question.id, error: String(error) },
        'A condition failed; it is asked again',
      )
      for (const { row } of asked) answers.delete(`${row.id} ${row.visit}`)
      await putOff(
        context,
        asked.map(({ row }) => row),
      )
    }
  }
  return look
}

async function readStanding({ database, clock }: Context, { asking }: KnownJourneys): Promise<Standing[]> {
  const { db } = database
  return await db
    .selectFrom('enrolments')
    .innerJoin(rowsOf(db, asking, { journey_id: 'text', version: 'integer', node: 'text' }), (join) =>
      join
        .onRef('r.journey_id', '=', 'enrolments.journey_id')
        .onRef('r.version', '=', 'enrolments.version')
        .onRef('r.node', '=', 'enrolments.node'),
    )
    .innerJoin('identifiers', 'identifiers.id', 'enrolments.customer_id')
    .where('due_at', '<=', clock.now())
    .where('state', '=', 'active')
    .select(['enrolments.id', 'visit', 'identifiers.customer_id'])
    .select(['enrolments.journey_id', 'enrolments.version', 'enrolments.node'])
    .orderBy('due_at')
    .limit(BATCH)
    .execute()
}

async function putOff({ database, clock }: Context, rows: readonly Standing[]): Promise<void> {
  const now = clock.now()
  for (const { id, visit } of rows)
    await database.db
      .updateTable('enrolments')
      .set({ due_at: now + TRY_AGAIN_MS })
      .where('id', '=', id)
      .where('visit', '=', visit)
      .where('due_at', '<=', now)
      .execute()
}

/** Asks one condition about customers as their profiles are now. */
async function whoHolds(
  { database, clock, points }: Context,
  { id, options }: Question,
  customers: readonly number[],
): Promise<Set<number>> {
  const entry = points.conditions.find(id)
  if (!entry) return new Set()
  const { owner, value } = entry
  const columns = new Map((await readColumns(database.db)).map((column) => [column.name, column]))
  const reader = owner.permissions && {
    id: owner.plugin,
    columnPrefix: owner.prefix,
    permissions: owner.permissions(),
  }
  const inputs = value.inputs.map((name): ProfileColumn => {
    const column = columns.get(name)
    if (!column)
      throw userError('E_CONDITION_INPUT', `"${id}" reads the column "${name}", which is not there`)
    const need = reader && refusedColumn(reader, column)
    if (need)
      throw userError(
        'E_PERMISSION',
        `Plugin "${owner.plugin}" may not read "${name}": it lacks ${need.permission}`,
      )
    return column
  })
  const ids = [...new Set(customers)].toSorted((a, b) => a - b)
  const rows = await database.db
    .selectFrom(
      rowsOf(
        database.db,
        ids.map((customer) => ({ id: customer })),
        { id: 'integer' },
      ),
    )
    .innerJoin('profiles', 'profiles.customer_id', 'r.id')
    .select(['r.id', ...inputs.map(({ name }, index) => sql.ref(`profiles.${name}`).as(`c${index}`))])
    .orderBy('r.id')
    .$castTo<Record<string, string | number | null> & { id: number }>()
    .execute()
  const present = Float64Array.from(rows, ({ id: customer }) => customer)
  const vectors = inputs.map((column, index): [string, ColumnVector] => {
    const values = rows.map((row) => row[`c${index}`] ?? null)
    const isText = column.type === 'text' || column.type === 'label'
    const vector = isText
      ? toTextVector(values as (string | null)[])
      : toNumberVector(values as (number | null)[])
    return [column.name, reader && column.name === 'key' ? hideKeys(reader, vector, present) : vector]
  })
  const batch = { ids: present.slice(), columns: Object.fromEntries(vectors), options }
  const answer = await value.run(batch, { now: clock.now(), signal: AbortSignal.timeout(ANSWER_MS) })
  if (!(answer instanceof Uint8Array) || answer.length !== rows.length)
    throw userError(
      'E_CONDITION_ANSWER',
      `Condition "${id}" did not answer for each of ${rows.length} customers`,
    )
  return new Set(rows.flatMap(({ id: customer }, row) => (answer[row] === 1 ? [customer] : [])))
}
