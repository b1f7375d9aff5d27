import { type Core, findSetting, type Job, writeBrand, writeSetting } from '@huitou/core'

/** Registers the job that fills an empty installation with the demo shop. */
export function defineDemoJob(core: Core): void {
  core.jobs.define('demo', async ({ job, signal, progress }) => {
    // Loaded at first use: nobody else needs two years of invented orders.
    const { loadDemoShop } = await import('./demo/load.ts')
    await writeSetting(core.database.db, 'demo', true)
    if ((await findSetting(core.database.db, 'brand')) === undefined) {
      await writeBrand(core.database.db, {
        brandName: '霁屿 Jiyu',
        currency: 'CNY',
        timeZone: 'Asia/Shanghai',
      })
    }
    // Not the present time: a job taken up tomorrow has to go on with the same shop.
    return {
      ...(await loadDemoShop({ events: core.events, now: job.createdAt, onProgress: progress, signal })),
    }
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
