import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, notFound, userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { EventLog } from '../events/append.ts'
import { normalizeMessage } from '../events/normalize.ts'
import type { Job, JobContext } from '../jobs/jobs.ts'
import { nameOf } from '../journeys/people.ts'
import { renderPlainContent } from '../journeys/variables.ts'
import { compileSchema, problemsOf } from '../points/json-schema.ts'
import type { Contribution, Points, Text } from '../points/points.ts'
import { tagTrait } from '../profiles/tag-trait.ts'
import type { BulkState } from './bulk-tables.ts'
import {
  countTargets,
  planTargets,
  settleTargets,
  takeTargets,
  takeUpAgain,
  type Taken,
  type Who,
} from './bulk-targets.ts'
import { CALL_MS, isLost } from './worker-context.ts'

const KIND = 'customers.action'
const SOURCE = 'huitou:customers'
/** Tags are written so many at a time; a plugin is asked for so many at once. */
const TAGS = 500
const CALLS = 20
const ATTEMPTS = 3
const RETRY_MS = 1_000

type Context = Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points' | 'jobs'>

/** Something to do to many customers. */
export interface BulkAction {
  /** `tag`, `untag`, or the full id of a plugin's action. */
  action: string
  input: Record<string, unknown>
}

interface Payload extends BulkAction {
  run: string
  expected: number
  at: number
}

/** Begins to do it to everybody meant, as a job. */
export async function startBulkAction(
  context: Context,
  { action, input }: BulkAction,
  { who, expected }: { who: Who; expected: number },
): Promise<Job> {
  const { title, input: checked } = readAction(context.points, { action, input })
  const run = await planTargets(context, who, expected)
  const payload: Payload = { run, action, input: checked, expected, at: context.clock.now() }
  return await context.jobs.enqueue({
    kind: KIND,
    title: JSON.stringify(title),
    payload: { ...payload },
  })
}

/** Actions of plugins that can be done to many customers. */
export function bulkActions(
  points: Points,
): Contribution<ReturnType<Points['actions']['list']>[0]['value']>[] {
  return points.actions.list().filter(({ value }) => value.places?.includes('bulk') ?? true)
}

function readAction(
  points: Points,
  { action, input }: BulkAction,
): { title: Text; input: BulkAction['input'] } {
  if (isTag(action)) {
    const tag = checkedTag(input['tag'])
    const title =
      action === 'tag'
        ? { en: `Add tag “${tag}”`, 'zh-CN': `添加标签「${tag}」` }
        : { en: `Remove tag “${tag}”`, 'zh-CN': `移除标签「${tag}」` }
    return { title, input: { tag } }
  }
  const entry = bulkActions(points).find(({ id }) => id === action)
  if (!entry) throw notFound('Action', action)
  const checked = structuredClone(input)
  const check = entry.value.input ? compileSchema(entry.value.input, { defaults: true }) : undefined
  if (check && !check(checked)) {
    const problems = problemsOf(check.errors)
    throw userError(
      'E_ACTION_INPUT',
      `Action "${action}": ${problems.map(({ field, message }) => `${field || 'input'} ${message}`).join('; ')}`,
      { status: 422, details: { action, problems } },
    )
  }
  return { title: entry.owner.text(entry.value.title), input: checked }
}

function isTag(action: string): action is 'tag' | 'untag' {
  return action === 'tag' || action === 'untag'
}

function checkedTag(tag: unknown): string {
  const text = typeof tag === 'string' ? tag.trim() : ''
  if (text !== '' && text.length <= 60 && !/\p{Cc}|\p{Cs}/u.test(text)) return text
  throw userError('E_TAG', 'A tag is a text of 1 to 60 characters')
}

/** Says who does it. Whoever was reached stays reached: paused, cancelled or crashed, nothing is done twice. */
export function defineBulkActions(context: Context & { events: EventLog }): void {
  context.jobs.define(KIND, (job) => doBulkAction(context, job))
}

async function doBulkAction(context: Context & { events: EventLog }, { job, signal, progress }: JobContext) {
  const { db } = context.database
  const payload = job.payload as unknown as Payload
  const { run, action, expected } = payload
  const repeatable = isTag(action) || context.points.actions.find(action)?.value.idempotent === true
  await takeUpAgain(db, run, repeatable)
  let { planned } = await countTargets(db, run)
  for (;;) {
    progress({ done: Math.max(0, expected - planned), total: expected, unit: 'customers' })
    if (signal.aborted) return
    const limit = isTag(action) ? TAGS : CALLS
    const { taken, isEnd } = await takeTargets(db, { run, limit, now: context.clock.now() })
    if (isEnd) return resultOf(await countTargets(db, run))
    if (isTag(action)) await changeTags(context, taken, payload)
    else await callPlugin(context, taken, { payload, signal })
    planned -= taken.filter(({ attempts }) => attempts === 1).length
  }
}

function resultOf({ done, failed, unknown, gone }: Record<BulkState, number>): Record<string, unknown> {
  return { done, failed, unknown, gone }
}

/** A tag is an event, and the same message id twice is one event. */
async function changeTags(
  { database, events }: Context & { events: EventLog },
  taken: readonly Taken[],
  { run, action, input, at }: Payload,
): Promise<void> {
  const tag = String(input['tag'])
  const on = action === 'tag'
  await events.append(
    taken.map(({ customerId, person }) => {
      const event = normalizeMessage(
        {
          type: 'track',
          event: on ? 'customer.tagged' : 'customer.untagged',
          messageId: `${run}.${customerId}`,
          timestamp: at,
          properties: { tag },
          traits: { [tagTrait(tag)]: on ? 'true' : null },
          ...contextOf(nameOf(person)),
        },
        { source: SOURCE, receivedAt: at },
      )
      if (event instanceof AppError) throw event
      return event
    }),
  )
  await settleTargets(database.db, { run, taken }, { state: 'done', reason: null })
}

function contextOf({ externalIds, ...name }: Record<string, unknown>): Record<string, unknown> {
  return externalIds === undefined ? name : { context: { externalIds } }
}

async function callPlugin(
  context: Context,
  taken: readonly Taken[],
  { payload: { run, action, input }, signal }: { payload: Payload; signal: AbortSignal },
): Promise<void> {
  const { database, points, clock } = context
  const entry = points.actions.find(action)
  if (!entry) {
    // Nothing has happened to these yet.
    await settleTargets(database.db, { run, taken }, { state: 'planned', reason: null })
    throw notFound('Action', action)
  }
  const { locale, timeZone, currency } = await context.brand()
  const tries = taken.filter(({ hasFailed }) => hasFailed).map(({ attempts }) => attempts - 1)
  if (tries.length > 0) await sleep(RETRY_MS * Math.max(...tries), undefined, { signal }).catch(() => {})
  await Promise.all(
    taken.map(async (each) => {
      const { customerId, person, attempts } = each
      const key = `${run}.${customerId}`
      const now = clock.now()
      const rendered = renderPlainContent(
        input,
        { event: {}, customer: person.profile ?? {} },
        { deliveryKey: key, locale, timeZone, currency, now },
      )
      const outcome =
        'problem' in rendered
          ? ({ state: 'failed', reason: 'content' } as const)
          : await Promise.resolve(
              entry.value.run(rendered.content, {
                key,
                customerId: person.id,
                now,
                signal: AbortSignal.timeout(CALL_MS),
              }),
            ).then(
              () => ({ state: 'done', reason: null }) as const,
              (error: unknown) => afterError(error, attempts, entry.value.idempotent === true),
            )
      await settleTargets(database.db, { run, taken: [each] }, outcome)
    }),
  )
}

/** What was cut off may have happened all the same; then only an idempotent action runs again. */
function afterError(
  error: unknown,
  attempts: number,
  idempotent: boolean,
): { state: BulkState; reason: string } {
  if (isLost(error) && !idempotent) return { state: 'unknown', reason: 'no_answer' }
  if (error instanceof AppError && error.kind === 'user') return { state: 'failed', reason: 'input' }
  if (attempts >= ATTEMPTS) return { state: 'failed', reason: 'attempts' }
  return { state: 'planned', reason: 'retry' }
}
