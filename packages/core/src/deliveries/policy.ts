import { z } from 'zod'
import type { Db, Tx } from '../db/database.ts'
import { findSetting, writeSetting } from '../settings/brand.ts'
import { channelChoiceSchema } from './channel-choice.ts'

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 21:00')
const limit = z.int().min(0).max(100_000)

/** When, how often and on what conditions customers may be contacted. */
export const contactPolicySchema = z.strictObject({
  /** No marketing between these times of the customer's day; null for never quiet. */
  quietHours: z.strictObject({ from: time, to: time }).nullable(),
  caps: z.strictObject({
    /** Marketing messages a customer gets on all channels together. */
    perDay: limit.nullable(),
    perWeek: limit.nullable(),
    /** The same on one channel, by its id; `*` for every channel not named. */
    perChannelPerDay: z.record(z.string().max(200), limit),
  }),
  /** Quotas of platforms, shared by the channels named. */
  budgets: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(80),
        channels: z.array(z.string().max(200)).min(1).max(20),
        per: z.enum(['day', 'week', 'month']),
        limit,
        /** Whether each customer has this quota, or all of them together. */
        scope: z.enum(['customer', 'total']).default('customer'),
      }),
    )
    .max(50),
  /** A channel whose last messages stayed unopened pauses for that customer. */
  fatigue: z
    .strictObject({ unopened: z.int().min(1).max(100), pauseDays: z.int().min(1).max(365) })
    .nullable(),
  /** Channels on which marketing needs a granted consent; on others it is enough that none was withdrawn. */
  consentNeeded: z.array(z.string().max(200)).max(50),
  /** Which channel comes first when a message has several; the one it names first if absent. */
  choice: channelChoiceSchema.optional(),
})

export type ContactPolicy = z.infer<typeof contactPolicySchema>

const DEFAULT_POLICY: ContactPolicy = {
  quietHours: { from: '21:00', to: '09:00' },
  caps: { perDay: 2, perWeek: 6, perChannelPerDay: { '*': 1 } },
  budgets: [],
  fatigue: { unopened: 3, pauseDays: 30 },
  consentNeeded: [],
  choice: { rules: [], best: null },
}

const NAME = 'contactPolicy'

export async function readContactPolicy(db: Db | Tx): Promise<ContactPolicy> {
  const stored = (await findSetting(db, NAME)) as Partial<ContactPolicy> | undefined
  return { ...DEFAULT_POLICY, ...stored }
}

export async function writeContactPolicy(db: Db | Tx, policy: ContactPolicy): Promise<ContactPolicy> {
  await writeSetting(db, NAME, policy)
  return policy
}
