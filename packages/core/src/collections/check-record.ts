import { AppError, type FieldProblem } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import type { Definition } from './definition.ts'
import { problemsOf, type SchemaProblem } from '../points/json-schema.ts'
import { type RecordData, recordError } from './record-schema.ts'
import { type StoredRecord, toUtc } from './record.ts'
import { tableNameOf } from './layout.ts'

/** What somebody wants to write. */
export interface Draft {
  data: RecordData
  /** The record as it is; absent when it is new. */
  previous?: StoredRecord
}

type CheckContext = Pick<CoreContext, 'database' | 'points' | 'clock'>

/** The plugin's own check may take this long; people wait for it. */
export const VALIDATE_DEADLINE_MS = 5_000
/** Drafts that a plugin is asked about at once. */
const ABREAST = 20

/**
 * Data as it will be stored: blank values left out, defaults put in, instants in one spelling; and what is wrong
 * with each draft, by the schema, by its references and by the plugin's own check, in this order.
 */
export async function checkDrafts(
  context: CheckContext,
  definition: Definition,
  drafts: readonly Draft[],
  { locale }: { locale?: string | undefined } = {},
): Promise<{ data: RecordData; problems: FieldProblem[] }[]> {
  const checked = drafts.map((draft) => {
    const data = cleaned(definition, draft.data)
    const problems: SchemaProblem[] = definition.validate(data) ? [] : problemsOf(definition.validate.errors)
    return { draft, data, problems: problems as FieldProblem[] }
  })
  const fitting = () => checked.filter(({ problems }) => problems.length === 0)
  await checkReferences(context, definition, fitting())
  const entry = context.points.collections.find(definition.id)
  if (definition.declaration.hooks.includes('validate') && entry) {
    const waiting = fitting()
    for (let at = 0; at < waiting.length; at += ABREAST) {
      await Promise.all(
        waiting.slice(at, at + ABREAST).map(async (each) => {
          each.problems.push(
            ...(await askPlugin(context, definition, { ...each.draft, data: each.data }, locale)),
          )
        }),
      )
    }
  }
  return checked.map(({ data, problems }) => ({ data, problems }))
}

/** One draft, as it will be stored. Throws `E_RECORD` with what is wrong. */
export async function checkDraft(
  context: CheckContext,
  definition: Definition,
  draft: Draft,
  options: { locale?: string | undefined } = {},
): Promise<RecordData> {
  const [checked] = await checkDrafts(context, definition, [draft], options)
  if (!checked || checked.problems.length > 0) throw recordError(definition.id, checked?.problems ?? [])
  return checked.data
}

function cleaned({ byName }: Definition, data: RecordData): RecordData {
  const kept = Object.entries(data).filter(([, value]) => value !== null && value !== undefined)
  return structuredClone(
    Object.fromEntries(
      kept.map(([name, value]) => [name, byName.get(name)?.kind === 'datetime' ? toUtc(value) : value]),
    ),
  )
}

interface Checked {
  draft: Draft
  data: RecordData
  problems: FieldProblem[]
}

/** Whom and what a record names must exist. What it named before may be gone by now. */
async function checkReferences(
  { database }: CheckContext,
  { fields }: Definition,
  checked: readonly Checked[],
): Promise<void> {
  for (const field of fields) {
    if (field.kind !== 'customer' && field.kind !== 'record') continue
    const naming = checked.filter(
      ({ draft, data }) =>
        data[field.name] !== undefined && data[field.name] !== draft.previous?.data[field.name],
    )
    if (naming.length === 0) continue
    const ids = [...new Set(naming.map(({ data }) => data[field.name] as string | number))]
    const known = new Set<unknown>()
    for (let at = 0; at < ids.length; at += 500) {
      const page = ids.slice(at, at + 500)
      const table = field.target === null ? 'identifiers' : tableNameOf(field.target)
      const rows = await sql<{
        id: string | number
      }>`select id from ${sql.table(table)} where id in (${sql.join(page)})`
        .execute(database.db)
        // The other collection's plugin may never have been here.
        .catch((error: unknown) => {
          if (field.target === null) throw error
          return { rows: [] }
        })
      for (const { id } of rows.rows) known.add(id)
    }
    for (const { data, problems } of naming) {
      if (known.has(data[field.name])) continue
      const problem: SchemaProblem = {
        field: field.name,
        rule: 'reference',
        message: 'names nothing that exists',
      }
      problems.push(problem)
    }
  }
}

async function askPlugin(
  { points, clock }: CheckContext,
  definition: Definition,
  { data, previous }: Draft,
  locale: string | undefined,
): Promise<FieldProblem[]> {
  const entry = points.collections.find(definition.id)
  if (!entry) return []
  const change = {
    kind: previous ? ('update' as const) : ('insert' as const),
    data,
    ...(previous ? { previous } : {}),
  }
  const signal = AbortSignal.timeout(VALIDATE_DEADLINE_MS)
  try {
    const answer = await Promise.race([
      entry.value.run.validate?.(change, { now: clock.now(), signal, ...(locale ? { locale } : {}) }),
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      }),
    ])
    return readProblems(answer)
  } catch (cause) {
    // Written down unchecked it might break what the plugin relies on; not written, somebody tries again.
    if (cause instanceof AppError && cause.kind === 'user') throw cause
    const reason = signal.aborted ? `took longer than ${VALIDATE_DEADLINE_MS / 1_000} s` : messageOf(cause)
    throw new AppError(
      'world',
      'E_RECORD_CHECK',
      `Plugin "${definition.plugin}" could not check a record of "${definition.id}": ${reason}`,
      {
        status: 503,
        details: { collection: definition.id, plugin: definition.plugin, reason },
        hint: 'Nothing was changed. Try again; if it stays, look at the plugin in Extensions.',
        cause,
      },
    )
  }
}

/** What a stranger's code answered, as problems; anything else is none. */
function readProblems(answer: unknown): FieldProblem[] {
  if (!Array.isArray(answer)) return []
  return answer.slice(0, 50).map((problem: Partial<FieldProblem> | undefined) => ({
    field: String(problem?.field ?? '').slice(0, 200),
    message: String(problem?.message ?? 'does not fit').slice(0, 500),
  }))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
