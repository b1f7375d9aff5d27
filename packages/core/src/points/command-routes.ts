import { AppError, type JsonSchema, type Progress, notFound, userError, type When } from '@huitou/plugin-api'
import { Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import type { JobContext } from '../jobs/jobs.ts'
import { audit } from '../people/audit.ts'
import { compileSchema, problemsOf } from './json-schema.ts'
import type { Text } from './points.ts'
import { readWhen } from './view-routes.ts'

/** A command of a plugin as the palette lists it. */
export interface CommandInfo {
  /** `publisher.name/id` */
  id: string
  plugin: string
  title: Text
  description: Text | null
  category: Text | null
  icon: string | null
  /** JSON Schema whose titles are in every language. */
  input: Record<string, unknown> | null
  longRunning: boolean
  when: When | null
}

type Deps = Pick<CoreContext, 'database' | 'clock' | 'points' | 'jobs'>

const RUN = 'plugin.command'
/** Somebody waits for it; what takes longer is declared `longRunning`. */
const DEADLINE_MS = 30_000

const One = z.object({ plugin: z.string().max(120), id: z.string().max(64) })
const Run = z.object({ input: z.record(z.string(), z.json()).default({}) })

const tags = ['commands']

/** Commands of plugins, mounted at `/api/commands`. */
export function commandRoutes(deps: Deps) {
  const { database, clock, points, jobs } = deps
  return new Hono<SignedIn>()
    .get('/', describeRoute({ tags, summary: 'Commands of enabled plugins' }), (c) =>
      answerJson<{ commands: CommandInfo[] }>(c, {
        commands: points.commands.list().map(({ owner, id, value }) => ({
          id,
          plugin: owner.plugin,
          title: owner.text(value.title),
          description: value.description ? owner.text(value.description) : null,
          category: value.category ? owner.text(value.category) : null,
          icon: value.icon ?? null,
          input: value.input ? (value.input as Record<string, unknown>) : null,
          longRunning: value.longRunning ?? false,
          when: readWhen(value.when),
        })),
      }),
    )
    .post(
      '/:plugin/:id',
      describeRoute({ tags, summary: 'Run a command; a long one as a job' }),
      validate('param', One),
      validate('json', Run),
      async (c) => {
        const { plugin, id } = c.req.valid('param')
        const command = `${plugin}/${id}`
        const user = c.get('user')
        const entry = points.commands.find(command)
        if (!entry) throw notFound('Command', command)
        const input = checkInput(command, entry.value.input, c.req.valid('json').input)
        await audit(database.db, clock, { userId: user.id, action: 'command.run', subject: command })
        if (entry.value.longRunning) {
          const { id: jobId } = await jobs.enqueue({
            kind: RUN,
            title: JSON.stringify(entry.owner.text(entry.value.title)),
            payload: { command, input, locale: user.locale },
          })
          return answerJson<CommandAnswer, 202>(c, { jobId, result: null }, 202)
        }
        const signal = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(DEADLINE_MS)])
        const result = await runCommand(deps, {
          command,
          input,
          locale: user.locale,
          signal,
          onProgress: () => {},
        })
        return answerJson<CommandAnswer, 200>(c, { jobId: null, result: result ?? null })
      },
    )
}

export interface CommandAnswer {
  jobId: string | null
  result: unknown
}

/** Says who does the commands that take long. */
export function defineCommandJobs(deps: Deps): void {
  deps.jobs.define(RUN, async ({ job, signal, progress }: JobContext) => {
    const { command, input, locale } = job.payload as {
      command: string
      input: Record<string, unknown>
      locale: string
    }
    const result = await runCommand(deps, {
      command,
      input,
      locale,
      signal,
      onProgress: ({ done, total }) => progress({ done, total: total ?? null, unit: 'steps' }),
    })
    if (signal.aborted) return
    return { result: result ?? null }
  })
}

interface CommandRun {
  command: string
  input: Record<string, unknown>
  locale: string
  signal: AbortSignal
  onProgress(progress: Progress): void
}

/**
 * Runs a command for the plugin `caller`: one of its own, or one that its owner opened to others. Without that, a
 * plugin could have another do what it was not granted itself.
 */
export async function runCommandFor(
  deps: Pick<Deps, 'points' | 'clock'>,
  caller: string,
  run: CommandRun,
): Promise<unknown> {
  const { command } = run
  const entry = deps.points.commands.find(command)
  if (!entry) throw notFound('Command', command)
  if (entry.owner.plugin !== caller && !entry.value.callable) {
    throw userError('E_COMMAND_CLOSED', `Command "${command}" is not for other plugins`, {
      status: 403,
      details: { command, pluginId: caller },
      hint: `"${entry.owner.plugin}" has to declare it callable.`,
    })
  }
  return await runCommand(deps, { ...run, input: checkInput(command, entry.value.input, run.input) })
}

/** Runs a command of a plugin; `signal` ends the wait for it. */
export async function runCommand(
  { points, clock }: Pick<Deps, 'points' | 'clock'>,
  { command, input, locale, signal, onProgress }: CommandRun,
): Promise<unknown> {
  const entry = points.commands.find(command)
  if (!entry) throw notFound('Command', command)
  const stopped = new Promise<never>((_, reject) => {
    const stop = () =>
      reject(
        new AppError('world', 'E_COMMAND_TIMEOUT', `Command "${command}" was stopped before it ended`, {
          status: 504,
          details: { command },
          hint: 'It may have done a part of its work.',
        }),
      )
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  stopped.catch(() => {})
  const context = { now: clock.now(), signal, locale, progress: onProgress }
  return await Promise.race([Promise.resolve(entry.value.run(input, context)), stopped])
}

function checkInput(command: string, schema: JsonSchema | undefined, given: Record<string, unknown>) {
  const input = structuredClone(given)
  if (!schema) return input
  const check = compileSchema(schema, { defaults: true })
  if (check(input)) return input
  const problems = problemsOf(check.errors)
  throw userError(
    'E_COMMAND_INPUT',
    `Command "${command}": ${problems.map(({ field, message }) => `${field || 'input'} ${message}`).join('; ')}`,
    { status: 422, details: { command, problems, fields: problems.map(({ field }) => field) } },
  )
}
