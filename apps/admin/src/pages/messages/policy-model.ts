import type { ContactPolicy } from '@huitou/admin-kit'

/** A mistake beside its field, as a key below `messages.policy.faults`. */
export type PolicyFaults = Partial<Record<string, string>>

const TIME = /^([01]\d|2[0-3]):[0-5]\d$/

/** What keeps a policy from being saved, by field. */
export function policyFaults(policy: ContactPolicy): PolicyFaults {
  const faults: PolicyFaults = {}
  const { quietHours, caps, fatigue, budgets, choice } = policy
  if (quietHours) {
    if (!TIME.test(quietHours.from)) faults['from'] = 'time'
    if (!TIME.test(quietHours.to)) faults['to'] = 'time'
    if (quietHours.from === quietHours.to && !faults['from']) faults['to'] = 'sameTime'
  }
  if (!isLimit(caps.perDay)) faults['perDay'] = 'limit'
  if (!isLimit(caps.perWeek)) faults['perWeek'] = 'limit'
  else if (caps.perDay !== null && caps.perWeek !== null && caps.perWeek < caps.perDay)
    faults['perWeek'] = 'weekBelowDay'
  for (const [channel, limit] of Object.entries(caps.perChannelPerDay))
    if (!isLimit(limit)) faults[`channel.${channel}`] = 'limit'
  if (fatigue) {
    if (!isWithin(fatigue.unopened, 100)) faults['unopened'] = 'hundred'
    if (!isWithin(fatigue.pauseDays, 365)) faults['pauseDays'] = 'year'
  }
  for (const [at, { channels }] of (choice?.rules ?? []).entries())
    if (channels.length === 0) faults[`choice.${at}`] = 'firstChannel'
  if (choice?.best && !isWithin(choice.best.atLeast, 1_000)) faults['bestAtLeast'] = 'thousand'
  for (const [at, budget] of budgets.entries()) {
    if (budget.name.trim() === '') faults[`budget.${at}.name`] = 'name'
    if (budget.channels.length === 0) faults[`budget.${at}.channels`] = 'channels'
    if (!isLimit(budget.limit)) faults[`budget.${at}.limit`] = 'limit'
  }
  return faults
}

function isLimit(value: number | null): boolean {
  return value === null || (Number.isInteger(value) && value >= 0 && value <= 100_000)
}

function isWithin(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most
}

/**
 * Whether the quiet hours leave open what the rules for marketing texts in mainland China close: 21:00 to 8:00.
 * Asked for the hours of a day, since quiet hours may go over midnight.
 */
export function opensAtNight({ quietHours }: Pick<ContactPolicy, 'quietHours'>): boolean {
  if (!quietHours || !TIME.test(quietHours.from) || !TIME.test(quietHours.to)) return quietHours === null
  const { from, to } = quietHours
  const isQuiet = (time: string) => (from < to ? time >= from && time < to : time >= from || time < to)
  const minutes = ['21:00', '22:00', '23:59', '00:00', '04:00', '07:59', from, to]
  return minutes.some((time) => (time >= '21:00' || time < '08:00') && !isQuiet(time))
}
