import { HOUR_MS, type WatchFacts } from './facts.ts'
import type { Severity } from './tables.ts'
import type { Thresholds } from './thresholds.ts'

/** Something that is not as it should be now. */
export interface Finding {
  kind: AlertKind
  subject: string
  severity: Severity
  /** Figures and names for the text. */
  details: Record<string, string | number>
}

type Rule = (facts: WatchFacts, thresholds: Thresholds) => Omit<Finding, 'kind'>[]

/** Fewer than this an hour are no custom, and no sample. */
const SOME = 20

const warning = (subject: string, details: Finding['details'] = {}) => ({
  subject,
  severity: 'warning' as const,
  details,
})
const critical = (subject: string, details: Finding['details'] = {}) => ({
  subject,
  severity: 'critical' as const,
  details,
})

/** Each looks at one thing and says what is wrong with it; once it says nothing more, its alert is over. */
export const RULES = {
  stage_lag: ({ stages }, { stageSeconds }) =>
    stages
      .filter(({ seconds }) => (seconds ?? 0) > stageSeconds)
      .map(({ stage, waiting, seconds }) =>
        warning(stage, { waiting, minutes: Math.round((seconds ?? 0) / 60) }),
      ),
  stage_failing: ({ troubles }) =>
    troubles
      .filter(({ lasts, kind }) => kind === 'stuck' || lasts > 60_000)
      .map(({ stage, lasts }) => critical(stage, { minutes: Math.round(lasts / 60_000) })),
  ingest_silent: ({ hours, now }, { silentMinutes }) => {
    const usual = usualAt(hours.get('events'), now)
    return usual >= SOME && quietFor(hours.get('events'), now) >= silentMinutes
      ? [critical('', { usual: Math.round(usual), minutes: silentMinutes })]
      : []
  },
  receipts_missing: ({ hours, now }, { receiptHours }) => {
    const sent = lastHours(hours.get('sent'), now, receiptHours)
    const isUsual = lastHours(hours.get('receipt'), now, 7 * 24) > 0
    const isSilent = lastHours(hours.get('receipt'), now, receiptHours) === 0
    return sent >= SOME && isUsual && isSilent ? [warning('', { sent, hours: receiptHours })] : []
  },
  quota_spent: ({ quotas }, { quotaShare }) =>
    quotas
      .filter(({ sent, limit }) => sent >= limit * quotaShare)
      .map(({ account, name, sent, limit }) => warning(account, { name, sent, limit })),
  channel_open: ({ channels, now }) =>
    channels
      .filter(({ openUntil }) => openUntil !== null && openUntil > now)
      .map(({ account, name, failures }) => critical(account, { name, failures })),
  channel_failing: ({ hours, now }, { failingShare }) => {
    const failed = lastHours(hours.get('failed'), now, 1)
    const all = failed + lastHours(hours.get('sent'), now, 1)
    return all >= SOME && failed / all >= failingShare
      ? [warning('', { failed, all, percent: Math.round((failed / all) * 100) })]
      : []
  },
  dead_letters: ({ deadLetters }, limits) =>
    deadLetters >= limits.deadLetters ? [warning('', { count: deadLetters })] : [],
  tasks_overdue: ({ overdueTasks }, limits) =>
    overdueTasks >= limits.overdueTasks ? [warning('', { count: overdueTasks })] : [],
  requests_due: ({ requests }) => [
    ...(requests.overdue > 0 ? [critical('overdue', { count: requests.overdue })] : []),
    ...(requests.soon > 0 ? [warning('soon', { count: requests.soon })] : []),
  ],
  not_confirmed: ({ unconfirmed }, limits) =>
    unconfirmed >= limits.unconfirmed ? [warning('', { count: unconfirmed })] : [],
  plugin_down: ({ plugins }) =>
    plugins.map(({ id, state }) =>
      state === 'quarantined' ? critical(id, { state }) : warning(id, { state }),
    ),
  backup_failed: ({ lastBackup }) =>
    lastBackup.failed === null ? [] : [critical('', { code: lastBackup.failed })],
  backup_missing: ({ backupsPlanned, lastBackup, now }, { backupHours }) => {
    if (!backupsPlanned || lastBackup.failed !== null) return []
    const age = lastBackup.at === null ? null : (now - lastBackup.at) / HOUR_MS
    return age !== null && age > backupHours ? [critical('', { hours: Math.round(age) })] : []
  },
  disk_full: ({ disk }, { diskShare }) => {
    if (!disk || disk.free >= disk.total * diskShare) return []
    const details = {
      percent: Math.round((disk.free / disk.total) * 100),
      megabytes: Math.round(disk.free / 1e6),
    }
    return [disk.free < 1e9 ? critical('', details) : warning('', details)]
  },
  clock_jumped: ({ clockJump }) =>
    Math.abs(clockJump) > 60_000 ? [warning('', { seconds: Math.round(clockJump / 1_000) })] : [],
  telling_failed: ({ failedTellings }) =>
    failedTellings.map(({ way, error }) => warning(way, { code: /^E_[A-Z_]+/.exec(error)?.[0] ?? error })),
  sign_ins_failing: ({ failedSignIns }, limits) =>
    failedSignIns >= limits.failedSignIns ? [warning('', { count: failedSignIns })] : [],
} satisfies Record<string, Rule>

export type AlertKind = keyof typeof RULES

export const ALERT_KINDS = Object.keys(RULES) as AlertKind[]

/** Everything that is wrong by the rules that are not muted. */
export function applyRules(
  facts: WatchFacts,
  { thresholds, muted }: { thresholds: Thresholds; muted: readonly string[] },
): Finding[] {
  return ALERT_KINDS.filter((kind) => !muted.includes(kind)).flatMap((kind) =>
    (RULES[kind] as Rule)(facts, thresholds).map((found) => ({ kind, ...found })),
  )
}

type Hours = Map<number, number> | undefined

/** How many came in this hour of the week, on the average of the last four; 0 while one of them is not known. */
function usualAt(hours: Hours, now: number): number {
  const hour = Math.floor(now / HOUR_MS)
  const weeks = [1, 2, 3, 4].map((week) => hours?.get(hour - week * 7 * 24) ?? 0)
  // The day before says what is usual until there are weeks to look back on.
  const known = weeks.filter((count) => count > 0)
  if (known.length >= 2) return known.reduce((sum, count) => sum + count, 0) / known.length
  return hours?.get(hour - 24) ?? 0
}

/** Minutes since something came, as far as whole hours tell. */
function quietFor(hours: Hours, now: number): number {
  const hour = Math.floor(now / HOUR_MS)
  const last = Math.max(-1, ...[...(hours ?? [])].filter(([, count]) => count > 0).map(([each]) => each))
  if (last === hour) return 0
  return last < 0 ? 0 : Math.floor((now - (last + 1) * HOUR_MS) / 60_000)
}

function lastHours(hours: Hours, now: number, count: number): number {
  const hour = Math.floor(now / HOUR_MS)
  let sum = 0
  for (let back = 0; back <= count; back++) sum += hours?.get(hour - back) ?? 0
  return sum
}
