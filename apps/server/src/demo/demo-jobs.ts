import { type Core, findSetting, type Job, writeBrand, writeSetting } from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import type { DemoClock } from './demo-clock.ts'

const OPENED = 'demo.opened'
const DAY_MS = 86_400_000

/** Registers the jobs that fill an empty installation with the demo shop, and that let its time pass. */
export function defineDemoJobs(core: Core, clock: DemoClock | undefined): void {
  core.jobs.define('demo', async ({ job, signal, progress }) => {
    // Loaded at first use: nobody else needs two years of invented orders.
    const { loadDemoShop } = await import('./load.ts')
    await writeSetting(core.database.db, 'demo', true)
    await writeSetting(core.database.db, OPENED, job.createdAt)
    if ((await findSetting(core.database.db, 'brand')) === undefined) {
      await writeBrand(core.database.db, {
        brandName: '霁屿 Jiyu',
        currency: 'CNY',
        timeZone: 'Asia/Shanghai',
      })
    }
    // Not the present time: a job taken up tomorrow has to go on with the same shop.
    return {
      ...(await loadDemoShop({
        events: core.events,
        now: job.createdAt,
        onProgress: progress,
        signal,
        ...demoSize(),
      })),
    }
  })
  core.jobs.define('demo.pass', async ({ job, signal, progress }) => {
    const { passTime } = await import('./pass-time.ts')
    const opened = await openedAt(core)
    if (opened === undefined || !clock) throw noDemo()
    const until = Number(job.payload['until'])
    return { ...(await passTime(core, { clock, opened, until, signal, progress, ...demoSize() })) }
  })
}

/** Puts the demo shop in line; while it loads, asking again gives the same job. */
export async function loadDemo(core: Core): Promise<Job> {
  return await core.jobs.enqueue({
    kind: 'demo',
    key: 'demo',
    title: JSON.stringify({ en: 'Demo shop', 'zh-CN': '示例店铺' }),
  })
}

/** Puts the passing of days in line. The shop's story is known for four weeks; after them it is over. */
export async function passDemoDays(core: Core, days: number): Promise<Job> {
  const { DEMO_FUTURE_DAYS } = await import('./demo-shop.ts')
  const opened = await openedAt(core)
  if (opened === undefined) throw noDemo()
  const until = core.clock.now() + days * DAY_MS
  if (until > opened + DEMO_FUTURE_DAYS * DAY_MS)
    throw userError('E_DEMO_OVER', `What happens in the demo shop is known for ${DEMO_FUTURE_DAYS} days`, {
      status: 409,
      hint: 'Let fewer days pass, or start with an empty data folder for another demo shop.',
    })
  return await core.jobs.enqueue({
    kind: 'demo.pass',
    key: 'demo.pass',
    title: JSON.stringify({
      en: days === 1 ? 'A day passes in the demo shop' : `${days} days pass in the demo shop`,
      'zh-CN': `演示店铺过去 ${days} 天`,
    }),
    payload: { until },
  })
}

async function openedAt({ database }: Core): Promise<number | undefined> {
  const opened = await findSetting(database.db, OPENED)
  return typeof opened === 'number' ? opened : undefined
}

function noDemo() {
  return userError('E_NO_DEMO', 'Only in the demo shop can time be let pass', {
    status: 409,
    hint: 'Real customers take their own time. Try the demo shop in an empty data folder.',
  })
}

/** A smaller shop for a small machine, or for looking at one thing quickly. */
function demoSize(): { customers?: number } {
  const customers = Number(process.env['HUITOU_DEMO_CUSTOMERS'])
  return Number.isInteger(customers) && customers > 0 ? { customers } : {}
}
