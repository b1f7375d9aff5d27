import { AppError, notFound, userError, type JsonSchema } from '@huitou/plugin-api'
import type { ValidateFunction } from 'ajv/dist/2020.js'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { describeRoute } from 'hono-openapi'
import { z } from 'zod'
import type { CoreContext } from '../context.ts'
import { answerJson } from '../http/answer.ts'
import type { SignedIn } from '../http/env.ts'
import { validate } from '../http/validate.ts'
import { requirePermission } from '../people/authorize.ts'
import { compileSchema, problemsOf } from './json-schema.ts'
import type { PluginFacts } from './view-routes.ts'

/** Somebody looks at the page and waits. */
const DEADLINE_MS = 10_000
const INPUT_BYTES = 256 * 1024
const ANSWER_BYTES = 1024 * 1024

const One = z.object({ plugin: z.string().max(120), view: z.string().max(64), name: z.string().max(64) })
const Call = z.object({ input: z.json().optional() })

interface Deps extends Pick<CoreContext, 'points' | 'clock'> {
  pluginFacts(): Promise<ReadonlyMap<string, PluginFacts>>
}

/** What pages of plugins ask their own code, mounted at `/api/views`. */
export function viewCallRoutes({ points, clock, pluginFacts }: Deps) {
  return new Hono<SignedIn>().post(
    '/:plugin/:view/calls/:name',
    describeRoute({ tags: ['views'], summary: 'Ask the code behind a page of a plugin' }),
    bodyLimit({ maxSize: INPUT_BYTES, onError: () => refuseSize('What the page sends', INPUT_BYTES) }),
    validate('param', One),
    validate('json', Call),
    async (c) => {
      const { plugin, view, name } = c.req.valid('param')
      const { input } = c.req.valid('json')
      const id = `${plugin}/${view}`
      const { value } = points.views.find(id) ?? {}
      const declared = value?.calls && Object.hasOwn(value.calls, name) ? value.calls[name] : undefined
      if (!value?.call || !declared) throw notFound(`Call of the view "${id}"`, name)
      const user = c.get('user')
      // Whoever may not run commands may ask only what changes nothing.
      if (!declared.readOnly) requirePermission(user, 'commands.run')
      if (value.kind === 'module' && !(await pluginFacts()).get(plugin)?.isTrusted) {
        throw notFound(`Call of the view "${id}"`, name)
      }
      checkInput(`${id} ${name}`, declared.input, input)
      const signal = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(DEADLINE_MS)])
      const answer =
        (await value.call(name, input, { now: clock.now(), signal, locale: user.locale })) ?? null
      checkAnswer(`${id} ${name}`, declared.output, answer)
      return answerJson<{ answer: unknown }>(c, { answer })
    },
  )
}

function checkInput(call: string, schema: JsonSchema | undefined, input: unknown): void {
  if (input === undefined && !schema) return
  const problems = problemsWith(compileSchema(schema ?? { not: {} }), input ?? null)
  if (problems.length === 0) return
  throw userError('E_VIEW_CALL_INPUT', `"${call}" was asked with something else than its manifest declares`, {
    status: 422,
    hint: problems.join('; '),
    details: { call, problems },
  })
}

function checkAnswer(call: string, schema: JsonSchema | undefined, answer: unknown): void {
  const size = Buffer.byteLength(JSON.stringify(answer))
  if (size > ANSWER_BYTES) refuseSize(`What "${call}" answers`, ANSWER_BYTES)
  const problems = problemsWith(compileSchema(schema ?? {}, { answer: true }), answer)
  if (problems.length === 0) return
  throw new AppError(
    'bug',
    'E_VIEW_CALL_ANSWER',
    `"${call}" answered something else than its manifest declares`,
    {
      hint: problems.join('; '),
      details: { call, problems },
    },
  )
}

function problemsWith(check: ValidateFunction, value: unknown): string[] {
  if (check(value)) return []
  return problemsOf(check.errors).map(({ field, message }) => `${field || 'It'} ${message}`)
}

function refuseSize(what: string, bytes: number): never {
  throw userError('E_VIEW_CALL_SIZE', `${what} is larger than ${bytes / 1024} KB`, {
    status: 413,
    hint: 'Ask for less at a time, or keep what is large in a collection.',
  })
}
