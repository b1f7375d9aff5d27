import {
  AppError,
  type BlockData,
  type JsonSchema,
  notFound,
  type ReportBlockKind,
  userError,
} from '@huitou/plugin-api'
import type { ValidateFunction } from 'ajv/dist/2020.js'
import type { CoreContext } from '../context.ts'
import { compileSchema, problemsOf } from '../points/json-schema.ts'
import type { PointOwner, Points, Text } from '../points/points.ts'
import { blockData, fitsBlock } from './block-data.ts'

export interface ReportInfo {
  /** `<plugin prefix>.<id>`. */
  id: string
  owner: string
  title: Text
  description: Text | null
  group: Text | null
  /** JSON Schema whose titles are in every language. */
  parameters: JsonSchema | null
  blocks: { id: string; kind: ReportBlockKind; title: Text; description: Text | null; span: number }[]
}

export interface ReportRun {
  blocks: Record<string, BlockData>
  ranAt: number
  tookMs: number
}

export interface RunRequest {
  parameters?: Record<string, unknown>
  /** Handed to the report as the parameter `segmentId`. */
  segmentId?: string | undefined
  locale: 'en' | 'zh-CN'
  signal?: AbortSignal
}

/** A report that needs longer than this is stopped. */
const DEADLINE_MS = 60_000

export function listReports(points: Points): ReportInfo[] {
  return points.reports.list().map(({ id, owner, value }) => ({
    id,
    owner: owner.plugin,
    title: owner.text(value.title),
    description: value.description ? owner.text(value.description) : null,
    group: value.group ? owner.text(value.group) : null,
    parameters: value.parameters ? (translated(value.parameters, owner) as JsonSchema) : null,
    blocks: value.blocks.map(({ id: block, kind, title, description, span }) => ({
      id: block,
      kind,
      title: owner.text(title),
      description: description ? owner.text(description) : null,
      span: span ?? 12,
    })),
  }))
}

/**
 * Runs a plugin's report. Parameters are checked and completed by the report's schema, and what comes back is
 * checked block by block before anyone sees it (`E_REPORT_ANSWER` names the plugin and the place).
 */
export async function runReport(
  context: Pick<CoreContext, 'points' | 'clock'>,
  id: string,
  request: RunRequest,
): Promise<ReportRun> {
  const report = context.points.reports.find(id)
  if (!report) throw notFound('Report', id)
  const { value, owner } = report
  const parameters = checkParameters(value.parameters, request.parameters ?? {}, id)
  if (request.segmentId !== undefined) parameters['segmentId'] = request.segmentId
  const started = performance.now()
  const ranAt = context.clock.now()
  const answer = await withDeadline(request.signal, id, async (signal) =>
    value.run(parameters, { now: ranAt, signal, locale: request.locale }),
  )
  const blocks: Record<string, BlockData> = {}
  for (const { id: block, kind } of value.blocks) {
    const given: unknown = answer?.blocks?.[block]
    if (given === undefined) continue
    const parsed = blockData.safeParse(given)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      throw answerError(
        { id, owner },
        `block "${block}" at ${issue?.path.join('.') || 'its top'}: ${issue?.message}`,
      )
    }
    if (!fitsBlock(parsed.data.kind, kind))
      throw answerError(
        { id, owner },
        `block "${block}" is declared as ${kind} and came as ${parsed.data.kind}`,
      )
    blocks[block] = parsed.data
  }
  return { blocks, ranAt, tookMs: Math.round(performance.now() - started) }
}

async function withDeadline<T>(
  outer: AbortSignal | undefined,
  id: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const stopped = new Promise<never>((_, reject) => {
    const stop = (error: Error) => {
      controller.abort(error)
      reject(error)
    }
    const timer = setTimeout(
      () =>
        stop(
          new AppError(
            'world',
            'E_REPORT_TIMEOUT',
            `Report "${id}" took longer than ${DEADLINE_MS / 1_000} s`,
            { status: 504, hint: 'Choose a shorter period or a smaller segment.' },
          ),
        ),
      DEADLINE_MS,
    )
    controller.signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
    const leave = () =>
      stop(new AppError('user', 'E_CANCELLED', `Report "${id}" was cancelled`, { status: 499 }))
    if (outer?.aborted) leave()
    else outer?.addEventListener('abort', leave, { once: true, signal: controller.signal })
  })
  // Whoever loses the race below must not count as an error nobody handled.
  stopped.catch(() => {})
  try {
    return await Promise.race([work(controller.signal), stopped])
  } finally {
    controller.abort()
  }
}

const validators = new WeakMap<JsonSchema, ValidateFunction>()

function checkParameters(
  schema: JsonSchema | undefined,
  given: Record<string, unknown>,
  id: string,
): Record<string, unknown> {
  const parameters = structuredClone(given)
  if (!schema) return parameters
  let validate = validators.get(schema)
  if (!validate) {
    validate = compileSchema(schema, { defaults: true })
    validators.set(schema, validate)
  }
  if (validate(parameters)) return parameters
  const mistakes = problemsOf(validate.errors).map(
    ({ field, message }) => `${field || 'parameters'} ${message}`,
  )
  throw userError('E_REPORT_PARAMETERS', `Report "${id}": ${mistakes.join('; ')}`, { details: { mistakes } })
}

function translated(schema: unknown, owner: PointOwner): unknown {
  if (Array.isArray(schema)) return schema.map((entry) => translated(entry, owner))
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      (key === 'title' || key === 'description') && typeof value === 'string'
        ? owner.text(value)
        : translated(value, owner),
    ]),
  )
}

function answerError({ id, owner }: { id: string; owner: PointOwner }, problem: string): AppError {
  return new AppError(
    'bug',
    'E_REPORT_ANSWER',
    `Report "${id}" of plugin "${owner.plugin}" answered wrongly: ${problem}`,
    {
      hint: 'This is a fault of the plugin; tell its author.',
    },
  )
}
