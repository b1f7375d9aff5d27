import { notFound, userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import { readCursor } from '../db/cursor.ts'
import { transact, type Tx } from '../db/database.ts'
import { mistaken, parseDefinition } from './parse-definition.ts'
import type { JourneyNode, Trigger } from './definition.ts'
import { valueAt } from './matches.ts'
import type { NewDelivery } from './outbox.ts'
import { beginAtTheEnd, checkJourney, getJourney } from './queries.ts'

/** What a trial knows of itself, in the data that its enrolment begins with. */
interface Trial {
  waits: 'skip' | 'real'
  /** Where its messages go, whatever channel the step names. */
  channel: string
  /** Stands in front of each message. */
  mark: string
}

const DATA_KEY = '$trial'
/** A loop whose waits are skipped would go round for ever. */
const LONGEST = 100

/** Versions of trials are negative. They run like others, count nowhere and keep nobody out of the journey. */
export function trialOf(traveller: { version: number; data: Record<string, unknown> }): Trial | undefined {
  return traveller.version < 0 ? (traveller.data[DATA_KEY] as Trial | undefined) : undefined
}

/** How a trial leaves a step that it does not take; `undefined` for one that it takes like everybody. */
export function trialSkip(
  trial: Trial,
  node: JourneyNode,
  visit: number,
): { next: string | undefined; outcome: string } | undefined {
  if (visit >= LONGEST) return { next: undefined, outcome: 'trial:too_long' }
  switch (node.type) {
    case 'wait':
    case 'wait_until':
      return trial.waits === 'skip' ? { next: node.next, outcome: 'trial:skipped' } : undefined
    case 'wait_event':
      // Nothing happens while no time passes.
      return trial.waits === 'skip' ? { next: node.otherwise, outcome: 'timeout' } : undefined
    case 'task':
    case 'action':
    case 'tag':
    case 'set_trait':
      // Nobody is given work or a coupon by a trial, and it leaves no trace in the profile.
      return { next: node.next, outcome: 'trial:skipped' }
    default:
      return undefined
  }
}

/** The message of a trial: the same words on the channel that reaches nobody. */
export function toTrialDelivery(delivery: NewDelivery, { channel, mark }: Trial): NewDelivery {
  const { content } = delivery
  const title = content['title'] ?? content['subject']
  return {
    ...delivery,
    channel,
    account: '',
    alternatives: [],
    purpose: 'test',
    content: { ...content, title: typeof title === 'string' ? `${mark} ${title}` : mark },
  }
}

export interface TrialRequest {
  customerId: number
  waits: 'skip' | 'real'
  /** Properties of the event that it begins with. */
  event?: Record<string, unknown> | undefined
}

/**
 * Sends one customer through the draft as it stands. Messages go to the channel for trials; tasks, actions, tags and
 * traits are passed by. Returns the enrolment's id. Throws `E_JOURNEY` with what keeps the draft from running.
 */
export async function startTrial(
  context: Pick<CoreContext, 'database' | 'clock' | 'brand' | 'points'>,
  id: string,
  { request, channel }: { request: TrialRequest; channel: string | undefined },
): Promise<number> {
  const { database, clock, brand, points } = context
  if (channel === undefined || !points.channels.find(channel))
    throw userError('E_TRIAL_CHANNEL', 'There is no channel that messages of a test could go to', {
      status: 409,
      hint: 'Enable the extension "Sandbox channel".',
    })
  const { draft } = await getJourney(database.db, id)
  const mistakes = await checkJourney(context, parseDefinition(draft))
  if (mistakes.length > 0) throw mistaken(mistakes)
  const mark = (await brand()).locale.startsWith('zh') ? '【测试】' : '[Test]'
  const now = clock.now()
  return await transact(database.db, async (tx) => {
    await readCursor(tx, 'journeys')
    const customer = await tx
      .selectFrom('identifiers')
      .select('customer_id')
      .where('id', '=', request.customerId)
      .executeTakeFirst()
    if (!customer) throw notFound('Customer', request.customerId)
    const version = await trialVersion(tx, { id, definition: JSON.stringify(draft), now })
    const trial: Trial = { waits: request.waits, channel, mark }
    const data = { ...(request.event ? { event: request.event } : {}), [DATA_KEY]: trial }
    const row = await tx
      .insertInto('enrolments')
      .values({
        journey_id: id,
        version,
        customer_id: customer.customer_id,
        entry_key: keyOf(draft.trigger, request.event ?? {}),
        node: draft.start,
        visit: 0,
        state: 'active',
        due_at: now,
        held_due_at: null,
        waiting_for: null,
        arm: 'treated',
        data: JSON.stringify(data),
        entered_at: now,
        ended_at: null,
        ended_reason: null,
        goal_at: null,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    return row.id
  })
}

function keyOf(trigger: Trigger, event: Record<string, unknown>): string {
  if (trigger.type !== 'event' || trigger.key === undefined) return ''
  return String(valueAt(event, trigger.key) ?? '').slice(0, 200)
}

/** The draft as a version of its own; the last one again if nothing has changed since. */
async function trialVersion(
  tx: Tx,
  { id, definition, now }: { id: string; definition: string; now: number },
): Promise<number> {
  const last = await tx
    .selectFrom('journey_versions')
    .select(['version', 'definition'])
    .where('journey_id', '=', id)
    .where('version', '<', 0)
    .orderBy('version')
    .limit(1)
    .executeTakeFirst()
  if (last?.definition === definition) return last.version
  await beginAtTheEnd(tx)
  const version = (last?.version ?? 0) - 1
  await tx
    .insertInto('journey_versions')
    .values({ journey_id: id, version, definition, published_at: now, published_by: 'trial' })
    .execute()
  return version
}
