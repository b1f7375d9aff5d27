import { access, constants } from 'node:fs/promises'
import { type Core, readBrand } from '@huitou/core'
import type { BackupPlan, Config } from '../config.ts'
import { makeBackup, pruneBackups } from './make-backup.ts'

const KIND = 'backup'
const LOOK_MS = 60_000
/** A server that was off at the hour makes up for it, unless the next one is near. */
const LATE_MS = 12 * 3_600_000

/**
 * Makes a backup a day at the planned time of day in the brand's zone, on one of the nodes, and removes old ones. It is
 * an ordinary job: seen in the status bar, and its failure with the reason.
 */
export function scheduleBackups(core: Core, config: Config): Disposable {
  const plan = config.backup
  if (!plan) return { [Symbol.dispose]: () => {} }
  core.jobs.define(KIND, async ({ signal }) => {
    const { folder, bytes, tookMs } = await makeBackup(config, {
      into: plan.dir,
      now: core.clock.now(),
      signal,
    })
    return { folder, bytes, tookMs, removed: await pruneBackups(plan.dir, plan.keep) }
  })
  const report = (error: unknown) => core.log.error({ error: String(error) }, 'Backups cannot be planned')
  void access(plan.dir, constants.W_OK).catch(report)
  const stop = core.schedules.define({
    name: KIND,
    every: LOOK_MS,
    run: async () => void (await planBackup(core, plan)),
  })
  return { [Symbol.dispose]: stop }
}

/** Puts the backup that is due in line; returns whether one was. */
export async function planBackup(core: Core, plan: BackupPlan): Promise<boolean> {
  const now = core.clock.now()
  const due = lastDue(now, plan, (await readBrand(core.database.db)).timeZone)
  if (due < now - LATE_MS || (await lastBackup(core)) >= due) return false
  const title = JSON.stringify({ en: 'Backup', 'zh-CN': '备份' })
  await core.jobs.enqueue({ kind: KIND, key: KIND, title })
  return true
}

/** The last moment up to `now` at which a backup was due; epoch milliseconds. */
export function lastDue(now: number, { at }: Pick<BackupPlan, 'at'>, timeZone: string): number {
  const time = Temporal.PlainTime.from(at)
  const here = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone)
  const today = here.toPlainDate().toZonedDateTime({ timeZone, plainTime: time })
  const due = Temporal.ZonedDateTime.compare(today, here) <= 0 ? today : yesterday(today, time)
  return due.epochMilliseconds
}

function yesterday(today: Temporal.ZonedDateTime, plainTime: Temporal.PlainTime): Temporal.ZonedDateTime {
  return today.toPlainDate().subtract({ days: 1 }).toZonedDateTime({ timeZone: today.timeZoneId, plainTime })
}

/** When the last one was begun; one that failed counts too, or it would be tried every minute. */
async function lastBackup({ database }: Core): Promise<number> {
  const last = await database.db
    .selectFrom('jobs')
    .select((query) => query.fn.max('created_at').as('at'))
    .where('kind', '=', KIND)
    .executeTakeFirst()
  return Number(last?.at ?? 0)
}
