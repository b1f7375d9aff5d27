import { ACTION_WAIT } from './action-answers.ts'
import { tagTrait } from '../profiles/tag-trait.ts'
import { nextTimeOfDay } from './calendar.ts'
import { type JourneyDefinition, type JourneyNode, toMilliseconds } from './definition.ts'
import { shareOf } from './enrol.ts'
import { type JourneyTask, TASK_WAIT } from './human-steps.ts'
import type { Moment } from './known.ts'
import { fitsAll } from './matches.ts'
import { type NewDelivery, routeContent } from './outbox.ts'
import { toTrialDelivery, trialOf, trialSkip } from './trial.ts'

/** An enrolment on its way. */
export interface Traveller {
  id: number
  journey_id: string
  version: number
  customer_id: number
  entry_key: string
  node: string
  visit: number
  state: 'active' | 'waiting' | 'done' | 'exited' | 'failed'
  due_at: number | null
  waiting_for: string | null
  ended_at: number | null
  ended_reason: string | null
  data: Record<string, unknown>
  definition: JourneyDefinition | undefined
  /** The moment it stands at: waits count from here. */
  at: number
  isGone: boolean
  wasMerged: boolean
  isPaused: boolean
  /** Goes no further in this batch. */
  isStanding?: boolean
}

/** What steps want written. */
export interface Effects {
  steps: {
    enrolment_id: number
    visit: number
    node: string
    at: number
    outcome: string
    journey_id: string
    version: number
  }[]
  deliveries: NewDelivery[]
  tasks: JourneyTask[]
  /** Events that say something of the customer. */
  facts: {
    key: string
    /** NULL for traits alone. */
    name: string | null
    customerId: number
    properties?: Record<string, unknown>
    traits: Record<string, unknown>
  }[]
}

interface StepWorld {
  effects: Effects
  moment: Moment
  /** For a branch: whom each of its rules finds. */
  fits?: readonly Set<number>[]
  /** For a branch: which of its cases' conditions hold, as their plugins say. */
  holds?: readonly boolean[]
  /** For a wait: when the event came that it would wait for. */
  arrivedAt?: number
}

/** A wait is over: by its time, not by what it waited for. */
export function leaveAfterWait(traveller: Traveller, effects: Effects, _moment: Moment): void {
  const node = traveller.definition?.nodes[traveller.node]
  if (node?.type === 'action') return leaveAfterAction(traveller, node, effects)
  traveller.waiting_for = null
  if (!node) return void (traveller.state = 'active')
  const timedOut = node.type === 'wait_event' || node.type === 'task'
  const next = 'otherwise' in node && timedOut ? node.otherwise : 'next' in node ? node.next : undefined
  leave(traveller, next, { effects, outcome: timedOut ? 'timeout' : 'waited' })
}

/** The action has answered, failed, or taken too long. */
function leaveAfterAction(
  traveller: Traveller,
  node: Extract<JourneyNode, { type: 'action' }>,
  effects: Effects,
): void {
  const { steps = {} } = traveller.data as { steps?: Record<string, unknown> }
  const answered = Object.hasOwn(steps, traveller.node)
  const outcome = answered ? 'done' : traveller.waiting_for === null ? 'failed' : 'timeout'
  traveller.waiting_for = null
  leave(traveller, answered ? node.next : (node.otherwise ?? node.next), { effects, outcome })
}

/** Takes one step. Every outcome is written down; a step that waits leaves the traveller where it is. */
export function takeStep(traveller: Traveller, node: JourneyNode, world: StepWorld): void {
  const { effects, moment } = world
  const trial = trialOf(traveller)
  const skipped = trial && trialSkip(trial, node, traveller.visit)
  if (skipped) return leave(traveller, skipped.next, { effects, outcome: skipped.outcome })
  const key = `${traveller.id}.${traveller.node}.${traveller.visit}`
  switch (node.type) {
    case 'wait':
      return wait(traveller, traveller.at + toMilliseconds(node.for))
    case 'wait_until':
      return wait(traveller, nextTimeOfDay(node, moment.timeZone, traveller.at))
    case 'wait_event':
      if (world.arrivedAt !== undefined) {
        traveller.at = world.arrivedAt
        return leave(traveller, node.next, { effects, outcome: 'event' })
      }
      return wait(traveller, traveller.at + toMilliseconds(node.timeout), node.event)
    case 'branch': {
      const index = whichCase(traveller, node, world)
      const next = index < 0 ? node.otherwise : node.cases[index]?.next
      return leave(traveller, next, { effects, outcome: index < 0 ? 'otherwise' : `case:${index + 1}` })
    }
    case 'split': {
      const arm = whichArm(traveller, node)
      return leave(traveller, arm?.next, { effects, outcome: `arm:${arm?.name ?? ''}` })
    }
    case 'send':
      effects.deliveries.push(
        trial
          ? toTrialDelivery(toDelivery(traveller, node, { key, moment }), trial)
          : toDelivery(traveller, node, { key, moment }),
      )
      return leave(traveller, node.next, { effects, outcome: 'planned' })
    case 'action':
      effects.deliveries.push(toActionDelivery(traveller, node, { key, moment }))
      if (moment.answers(node.action))
        return wait(traveller, traveller.at + toMilliseconds(node.timeout), ACTION_WAIT + key)
      return leave(traveller, node.next, { effects, outcome: 'planned' })
    case 'tag':
      effects.facts.push({
        key,
        name: node.on ? 'customer.tagged' : 'customer.untagged',
        customerId: traveller.customer_id,
        properties: { tag: node.tag, journey_id: traveller.journey_id },
        traits: { [tagTrait(node.tag)]: node.on ? 'true' : null },
      })
      return leave(traveller, node.next, { effects, outcome: 'done' })
    case 'set_trait':
      effects.facts.push({
        key,
        name: null,
        customerId: traveller.customer_id,
        traits: { [node.trait]: node.value },
      })
      return leave(traveller, node.next, { effects, outcome: 'done' })
    case 'task':
      effects.tasks.push({
        key,
        kind: node.kind,
        title: node.title,
        queue: node.queue,
        customerId: traveller.customer_id,
        journeyId: traveller.journey_id,
        enrolmentId: traveller.id,
        node: traveller.node,
        script: node.script,
        outcomes: outcomesOf(node),
        dueMinutes: node.dueMinutes,
        data: traveller.data,
      })
      return wait(traveller, traveller.at + toMilliseconds(node.timeout), TASK_WAIT + key)
    case 'end':
      return leave(traveller, undefined, { effects, outcome: 'end', reason: node.reason ?? 'end' })
  }
}

function wait(traveller: Traveller, until: number, waitingFor: string | null = null): void {
  Object.assign(traveller, { state: 'waiting', due_at: until, waiting_for: waitingFor })
}

function leave(
  traveller: Traveller,
  next: string | undefined,
  { effects, outcome, reason = 'end' }: { effects: Effects; outcome: string; reason?: string },
): void {
  const { id, visit, node, at, journey_id, version } = traveller
  effects.steps.push({ enrolment_id: id, visit, node, at, outcome, journey_id, version })
  traveller.visit++
  if (next === undefined)
    Object.assign(traveller, {
      state: 'done',
      ended_at: at,
      ended_reason: reason,
      due_at: null,
      waiting_for: null,
    })
  else Object.assign(traveller, { state: 'active', node: next, due_at: at })
}

/** Ways a task may end: those that lead somewhere, and those that only have a title. */
function outcomesOf({ outcomes, outcomeTitles = {} }: Extract<JourneyNode, { type: 'task' }>) {
  const ids = [...new Set([...Object.keys(outcomeTitles), ...Object.keys(outcomes)])]
  return ids.map((id) => ({ id, title: outcomeTitles[id] }))
}

function whichCase(
  traveller: Traveller,
  node: Extract<JourneyNode, { type: 'branch' }>,
  { fits = [], holds = [] }: Pick<StepWorld, 'fits' | 'holds'>,
): number {
  const properties = { ...(traveller.data['event'] as object | undefined), steps: traveller.data['steps'] }
  let rule = 0
  return node.cases.findIndex((each, index) => {
    const fitsRule = each.rule === undefined || fits[rule++]?.has(traveller.customer_id) === true
    const holdsToo = each.condition === undefined || holds[index] === true
    return fitsRule && holdsToo && fitsAll(properties, each.where)
  })
}

function whichArm(traveller: Traveller, node: Extract<JourneyNode, { type: 'split' }>) {
  const total = node.arms.reduce((sum, { weight }) => sum + weight, 0)
  let left = shareOf(traveller.journey_id, traveller.node, traveller.customer_id) * total
  return node.arms.find(({ weight }) => (left -= weight) < 0) ?? node.arms.at(-1)
}

function toActionDelivery(
  traveller: Traveller,
  node: Extract<JourneyNode, { type: 'action' }>,
  { key, moment }: { key: string; moment: Moment },
): NewDelivery {
  return {
    key,
    kind: 'action',
    customerId: traveller.customer_id,
    channel: node.action,
    account: '',
    content: node.input as Record<string, unknown>,
    context: traveller.data,
    journeyId: traveller.journey_id,
    node: traveller.node,
    dueAt: moment.now,
  }
}

function toDelivery(
  traveller: Traveller,
  node: Extract<JourneyNode, { type: 'send' }>,
  { key, moment: { now } }: { key: string; moment: Moment },
): NewDelivery {
  return {
    key,
    kind: 'message',
    customerId: traveller.customer_id,
    channel: node.channel,
    account: node.account,
    content: routeContent(node),
    context: traveller.data,
    alternatives: node.alternatives.map((route) => ({
      channel: route.channel,
      account: route.account,
      content: routeContent(route),
    })),
    purpose: node.purpose,
    priority: node.priority,
    journeyId: traveller.journey_id,
    node: traveller.node,
    dueAt: now,
    expiresAt: now + toMilliseconds(node.expires),
  }
}
