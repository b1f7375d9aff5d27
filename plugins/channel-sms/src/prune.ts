import type { Collection, Huitou } from '@huitou/plugin-api'
import type { LoggedSms } from './message-log.ts'

const day = 86_400_000
/** What the law in China wants to be kept. */
const halfAYear = 183 * day
const pause = 3_600_000
const shortPause = 60_000
/** Deleted in one go, so that nothing that is to be sent waits for it. */
const step = 200

export interface PruneSettings {
  keepDays?: number
  keepAtMost?: number
}

interface Deps {
  log: Collection<LoggedSms>
  huitou: Pick<Huitou<{ settings: PruneSettings }>, 'settings' | 'log'>
}

/**
 * Takes the oldest texts off the log: those past their age, and those beyond the number that is kept. To be called
 * after whatever the channel did; it looks once an hour, and each minute while there is more to do.
 */
export function createPruning({ log, huitou }: Deps): (now: number) => Promise<void> {
  let next = Number.NEGATIVE_INFINITY
  return async (now) => {
    if (now < next) return
    // Set first: of calls that come together, one does it.
    next = now + pause
    try {
      const deleted = await prune(log, now, huitou)
      if (deleted === step) next = now + shortPause
    } catch (error) {
      // A log that is a little long is no reason to fail what was done before.
      huitou.log.warn('The log of text messages could not be pruned', { error: String(error) })
    }
  }
}

async function prune(log: Deps['log'], now: number, huitou: Deps['huitou']): Promise<number> {
  const { keepDays = 366, keepAtMost = 1_000_000 } = huitou.settings
  const before = now - keepDays * day
  const surplus = (await log.count()) - keepAtMost
  const { records } = await log.find({ sort: { field: 'at', direction: 'asc' }, limit: step })
  const doomed = records.filter(({ data }, place) => place < surplus || Date.parse(data.at) < before)
  for (const { id } of doomed) await log.delete(id)
  const youngest = doomed.at(-1)
  if (youngest && Date.parse(youngest.data.at) > now - halfAYear)
    huitou.log.warn('Texts of the last six months were deleted: more were sent than are kept', { keepAtMost })
  return doomed.length
}
