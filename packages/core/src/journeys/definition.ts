import { z } from 'zod'
import { ruleSchema } from '../segments/rule.ts'

const id = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[\w-]+$/, 'letters, digits, _ and -')
const name = z.string().min(1).max(200)
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 09:00')

/** A length of time; its parts add up. */
const duration = z
  .strictObject({
    days: z.int().min(0).max(3_650).optional(),
    hours: z.int().min(0).max(100_000).optional(),
    minutes: z.int().min(0).max(1_000_000).optional(),
    seconds: z.int().min(0).max(1_000_000).optional(),
  })
  .refine(
    (value) => Object.values(value).some((part) => part !== undefined && part > 0),
    'longer than nothing',
  )

const PROPERTY_OPS = [
  'is',
  'is_not',
  'in',
  'not_in',
  'contains',
  'not_contains',
  'starts_with',
  'gt',
  'gte',
  'lt',
  'lte',
  'is_set',
  'is_not_set',
  'true',
  'false',
] as const
const scalar = z.union([z.string().max(500), z.number(), z.boolean()])
const propertyFilter = z.strictObject({
  property: name,
  op: z.enum(PROPERTY_OPS),
  value: z.union([scalar, z.array(scalar).max(200)]).optional(),
})
const where = z.array(propertyFilter).max(20).optional()

/** An event of the customer. With `key` only one whose property equals the one that the journey began with. */
const eventMatch = z.strictObject({ event: name, where, key: name.optional() })

const trigger = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('event'),
    event: name,
    where,
    /** Property that tells one thing from another, for instance `order_id`: each is a journey of its own. */
    key: name.optional(),
    /** Only at this many of them, with the same key, within so many days. */
    times: z.strictObject({ count: z.int().min(2).max(100), days: z.int().min(1).max(365) }).optional(),
    /** An event that arrives later than this after it happened starts nothing. */
    maxAgeHours: z.int().min(1).max(720).default(24),
  }),
  z.strictObject({
    type: z.literal('segment'),
    segment: name,
    on: z.enum(['enter', 'leave']).default('enter'),
  }),
  z.strictObject({
    type: z.literal('date'),
    /** Column that holds the day. */
    column: name,
    calendar: z.enum(['solar', 'lunar']).default('solar'),
    repeat: z.enum(['yearly', 'once']).default('yearly'),
    /** Days after the day; before it if negative. */
    offsetDays: z.int().min(-3_650).max(3_650).default(0),
    at: timeOfDay.default('09:00'),
  }),
  z.strictObject({
    type: z.literal('schedule'),
    /** Five fields, in the brand's zone; or a festival. */
    cron: z.string().min(9).max(100).optional(),
    festival: z.string().min(1).max(20).optional(),
    offsetDays: z.int().min(-60).max(60).default(0),
    at: timeOfDay.default('09:00'),
  }),
])

const route = z.strictObject({
  channel: name,
  account: z.string().max(200).default(''),
  /** Id of a template that the message is written from, as it stands when it goes out. */
  template: z.string().min(1).max(60).optional(),
  /** What it says; beside a template only what is to be said otherwise. */
  content: z.record(z.string().max(100), z.json()).default({}),
})
const next = id.optional()
/** A text of one language, or of both. */
const stepText = z.union([
  z.string().min(1).max(500),
  z.strictObject({ en: z.string().min(1).max(500), 'zh-CN': z.string().min(1).max(500) }),
])

const nodeSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('wait'), for: duration, next }),
  z.strictObject({
    type: z.literal('wait_until'),
    time: timeOfDay,
    /** Whoever comes between `time` and this goes on at once. */
    until: timeOfDay.optional(),
    /** 1 is Monday. */
    weekdays: z.array(z.int().min(1).max(7)).min(1).max(7).optional(),
    /** Only on days people work, holidays and adjusted days of China considered. */
    workingDays: z.boolean().optional(),
    next,
  }),
  z.strictObject({
    type: z.literal('wait_event'),
    ...eventMatch.shape,
    timeout: duration,
    next,
    otherwise: next,
  }),
  z.strictObject({
    type: z.literal('branch'),
    cases: z
      .array(
        z.strictObject({
          /** Who the customer is. */
          rule: ruleSchema.optional(),
          /** What the event that the journey began with says. */
          where: z.array(propertyFilter).min(1).max(20).optional(),
          /** What a plugin says of the customer, asked when the customer stands here. */
          condition: z
            .strictObject({ id: name, options: z.record(z.string().max(100), z.json()).default({}) })
            .optional(),
          next: id.optional(),
        }),
      )
      .min(1)
      .max(20),
    otherwise: next,
  }),
  z.strictObject({
    type: z.literal('split'),
    arms: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(40),
          weight: z.number().positive().max(1_000_000),
          next,
        }),
      )
      .min(2)
      .max(10),
  }),
  z.strictObject({
    type: z.literal('send'),
    ...route.shape,
    alternatives: z.array(route).max(5).default([]),
    purpose: z.enum(['marketing', 'service']).default('marketing'),
    priority: z.int().min(-100).max(100).default(0),
    /** After this it comes too late. */
    expires: duration.default({ days: 1 }),
    next,
  }),
  z.strictObject({
    type: z.literal('action'),
    action: name,
    input: z.record(z.string(), z.json()).default({}),
    /** An action that answers something is waited for this long; its answer is `steps.<this step>`. */
    timeout: duration.default({ hours: 1 }),
    next,
    /** Where it goes on when the action failed or did not answer in time; `next` if absent. */
    otherwise: next,
  }),
  z.strictObject({
    type: z.literal('tag'),
    tag: z.string().min(1).max(60),
    on: z.boolean().default(true),
    next,
  }),
  z.strictObject({
    type: z.literal('set_trait'),
    trait: z.string().min(1).max(100),
    value: z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]),
    next,
  }),
  z.strictObject({
    type: z.literal('task'),
    kind: name,
    title: z.string().min(1).max(500),
    queue: z.string().max(200).optional(),
    /** Business time until it has to be done. */
    dueMinutes: z.int().min(1).max(1_000_000),
    /** Where each outcome leads; any other one to `next`. */
    outcomes: z.record(z.string().max(60), id).default({}),
    /** What the buttons say; an outcome that stands only here leads to `next`. */
    outcomeTitles: z.record(z.string().min(1).max(60), stepText).optional(),
    /** What to say to the customer, with variables. */
    script: z.string().max(4_000).optional(),
    /** When nobody has done it by then, the journey goes on without. */
    timeout: duration.default({ days: 7 }),
    next,
    otherwise: next,
  }),
  z.strictObject({ type: z.literal('end'), reason: z.string().max(60).optional() }),
])

export const journeyDefinitionSchema = z.strictObject({
  trigger,
  /** Who of those that the trigger names gets in. */
  filter: ruleSchema.optional(),
  /** `once` for good; otherwise again after so many days, 0 for as soon as the last one is over. */
  reentry: z
    .union([z.literal('once'), z.strictObject({ afterDays: z.int().min(0).max(3_650) })])
    .default('once'),
  /** Share that gets nothing, so that there is something to compare with. */
  holdout: z.strictObject({ percent: z.number().min(0).max(90) }).default({ percent: 10 }),
  /** What it is for: counted for those treated and for those held out alike. */
  goal: z
    .strictObject({
      ...eventMatch.shape,
      withinDays: z.int().min(1).max(365).default(14),
      leave: z.boolean().default(true),
    })
    .optional(),
  exits: z
    .array(z.union([eventMatch, z.strictObject({ segment: name, on: z.enum(['enter', 'leave']) })]))
    .max(20)
    .default([]),
  start: id,
  nodes: z.record(id, nodeSchema),
})

export type JourneyDefinition = z.infer<typeof journeyDefinitionSchema>
export type JourneyNode = z.infer<typeof nodeSchema>
export type Trigger = JourneyDefinition['trigger']
export type PropertyFilter = z.infer<typeof propertyFilter>
export type EventMatch = z.infer<typeof eventMatch>
export type StepText = z.infer<typeof stepText>
export type Duration = z.infer<typeof duration>

export function toMilliseconds({ days = 0, hours = 0, minutes = 0, seconds = 0 }: Duration): number {
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000
}

/** Nodes that a node leads to. */
export function targetsOf(node: JourneyNode): string[] {
  const targets: (string | undefined)[] = []
  if ('next' in node) targets.push(node.next)
  if ('otherwise' in node) targets.push(node.otherwise)
  if (node.type === 'branch') targets.push(...node.cases.map((each) => each.next))
  if (node.type === 'split') targets.push(...node.arms.map((arm) => arm.next))
  if (node.type === 'task') targets.push(...Object.values(node.outcomes))
  return targets.filter((target) => target !== undefined)
}

/** Nodes at which time passes, whatever they come to. */
export function isWaiting({ type }: JourneyNode): boolean {
  return type === 'wait' || type === 'wait_until' || type === 'wait_event' || type === 'task'
}
