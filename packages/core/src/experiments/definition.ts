import { z } from 'zod'
import { COLUMN_OPS } from '../segments/rule.ts'
import { HOLDOUT } from './assignment.ts'

const key = z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'lower-case letters, digits, - and _')
const event = z.string().min(1).max(200)
const scalar = z.union([z.string().max(500), z.number()])
const where = z
  .array(
    z.strictObject({
      property: z.string().min(1).max(200),
      op: z.enum(COLUMN_OPS),
      value: z.union([scalar, z.boolean(), z.array(scalar).max(1_000)]).optional(),
    }),
  )
  .max(20)
  .optional()
const windowed = {
  key,
  name: z.string().trim().min(1).max(80).optional(),
  /** Days after the exposure that count, each of 24 hours. */
  withinDays: z.int().min(1).max(365),
  where,
}
/** Takes out what the same number of days before the exposure say. */
const cuped = z.boolean().default(false)
const of = z.enum(['count', 'value'])

export const metricSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('conversion'), ...windowed, event, cuped }),
  z.strictObject({ kind: z.literal('count'), ...windowed, event, cuped }),
  z.strictObject({
    kind: z.literal('value'),
    ...windowed,
    event,
    /** Event whose value is taken off, such as a refund. */
    minus: event.optional(),
    cuped,
  }),
  z.strictObject({
    kind: z.literal('ratio'),
    ...windowed,
    numerator: z.strictObject({ event, of }),
    denominator: z.strictObject({ event, of }),
  }),
])
export type Metric = z.infer<typeof metricSchema>

const arm = z.strictObject({
  key: key.refine((name) => name !== HOLDOUT, `"${HOLDOUT}" is those who are kept out of every arm`),
  name: z.string().trim().min(1).max(80).optional(),
  weight: z.number().min(0).max(1_000_000).default(1),
})
const unique = (list: readonly { key: string }[]) =>
  new Set(list.map((entry) => entry.key)).size === list.length

export const definitionSchema = z
  .strictObject({
    /** Whose hold-out is compared with everybody else; its customers are exposed by entering it. */
    journeyId: z.string().min(1).max(200).nullable().default(null),
    arms: z.array(arm).min(1).max(20).refine(unique, 'two arms have the same key'),
    holdoutPercent: z.number().min(0).max(90).default(10),
    /** Arm that the others are compared with; the hold-out unless said otherwise. */
    control: z.string().max(40).optional(),
    metrics: z.array(metricSchema).min(1).max(20).refine(unique, 'two metrics have the same key'),
    alpha: z.number().min(0.0001).max(0.5).default(0.05),
    /** Customers expected in all; intervals for those who peek are narrowest there. */
    plannedCustomers: z.int().min(100).max(1_000_000_000).default(10_000),
  })
  .superRefine(({ arms, holdoutPercent, control, journeyId }, context) => {
    const complain = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (arms.every(({ weight }) => weight === 0)) complain('arms', 'one arm needs a weight')
    const names = new Set([
      ...arms.filter(({ weight }) => weight > 0).map((one) => one.key),
      ...(holdoutPercent > 0 ? [HOLDOUT] : []),
    ])
    if (names.size < 2) complain('arms', 'there is nothing to compare: add an arm or a hold-out')
    if (control !== undefined && !names.has(control)) complain('control', 'is none of the arms')
    if (journeyId !== null && (arms.length !== 1 || arms[0]?.key !== 'treated' || holdoutPercent === 0))
      complain('arms', 'a journey has the arm "treated" and a hold-out')
  })
export type Definition = z.infer<typeof definitionSchema>

/** The arm that the others are compared with. */
export function controlOf({ control, holdoutPercent, arms }: Definition): string {
  return control ?? (holdoutPercent > 0 ? HOLDOUT : (arms.find(({ weight }) => weight > 0)?.key ?? HOLDOUT))
}
