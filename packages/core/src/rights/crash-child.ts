import { createCore } from '../core.ts'
import { openDatabase } from '../db/database.ts'

// Erases whoever is called `canary`, in a process that the test may kill at any moment.
const [dataDir, url] = process.argv.slice(2) as [string, string | undefined]
const database = openDatabase(url ? { url, poolSize: 4 } : { file: `${dataDir}/huitou.db`, readers: 1 })
const core = await createCore({
  database,
  dataDir,
  // What is still looked for lies sealed, as everywhere.
  rights: {
    secret: 'crash',
    box: {
      seal: (text) => Buffer.from(text).toString('base64'),
      open: (text) => Buffer.from(text, 'base64').toString(),
    },
  },
})
// Whoever had the job is dead, and need not be silent for as long as a server that may come back.
await database.db.updateTable('jobs').set({ leased_until: 1 }).where('state', '=', 'running').execute()
await core.erasures.applyNoted()
await core.erasures.resume()
const stop = new AbortController()
const running = core.jobs.run(stop.signal)
process.stdout.write('ready\n')
const canary = await database.db
  .selectFrom('profiles')
  .select('customer_id')
  .where('key', '=', 'canary-7731')
  .executeTakeFirst()
if (canary) await core.erasures.request(canary.customer_id, { reason: 'asked', by: 'p1' })
for (const { id } of await core.jobs.list(20)) await core.jobs.finished(id)
const [erasure] = await core.erasures.list(1)
process.stdout.write(`${erasure?.state}\n`)
stop.abort()
await running
await database.close()
