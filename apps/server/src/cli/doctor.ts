import { statfs } from 'node:fs/promises'
import { defineCommand } from 'citty'
import { sql } from 'kysely'
import type { Huitou } from '../open-huitou.ts'
import { version } from '../version.ts'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

interface Finding {
  check: string
  ok: boolean
  detail: string
}

const LOW_DISK_BYTES = 1_000_000_000

export const doctorCommand = defineCommand({
  meta: { name: 'doctor', description: 'Check the installation and say what is wrong with it' },
  args: commonArgs,
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args)
      const findings = [
        {
          check: 'version',
          ok: true,
          detail: `Huitou ${version}, Node ${process.versions.node}, ${huitou.core.database.engine}`,
        },
        await checkDatabase(huitou),
        await checkStages(huitou),
        await checkProfiles(huitou),
        ...(await checkPlugins(huitou)),
        await checkDisk(args.data),
      ]
      const ok = findings.every((finding) => finding.ok)
      print(
        args,
        { ok, findings },
        findings
          .map((finding) => `${finding.ok ? 'ok  ' : 'FAIL'} ${finding.check}: ${finding.detail}`)
          .join('\n'),
      )
      if (!ok) process.exitCode = 1
    })
  },
})

async function checkDatabase({ core: { database } }: Huitou): Promise<Finding> {
  if (database.engine === 'postgres') {
    const { rows } = await sql<{ version: string }>`select version() as version`.execute(database.db)
    return { check: 'database', ok: true, detail: rows[0]?.version ?? 'answers' }
  }
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check(5)`.execute(database.db)
  const wrong = rows.filter(({ integrity_check }) => integrity_check !== 'ok')
  return {
    check: 'database',
    ok: wrong.length === 0,
    detail: wrong.length === 0 ? 'intact' : wrong.map((row) => row.integrity_check).join('; '),
  }
}

async function checkStages({ core: { database } }: Huitou): Promise<Finding> {
  const { last } = await database.db
    .selectFrom('events')
    .select(sql<number>`coalesce(max(seq), 0)`.as('last'))
    .executeTakeFirstOrThrow()
  const cursor = await database.db
    .selectFrom('cursors')
    .select('position')
    .where('name', '=', 'profiles')
    .executeTakeFirst()
  const lag = last - (cursor?.position ?? 0)
  return {
    check: 'stages',
    ok: lag >= 0,
    detail: lag === 0 ? 'every event is folded' : `${lag} events wait to be folded`,
  }
}

/** Every customer with events has a profile, and every profile a customer. */
async function checkProfiles({ core: { database } }: Huitou): Promise<Finding> {
  const orphans = await sql<{
    n: number
  }>`select count(*) as n from profiles p where not exists (select 1 from identifiers i where i.customer_id = p.customer_id)`.execute(
    database.db,
  )
  const missing = await sql<{
    n: number
  }>`select count(*) as n from (select distinct customer_id from timeline where current = 1) t where not exists (select 1 from profiles p where p.customer_id = t.customer_id)`.execute(
    database.db,
  )
  const [lost, without] = [orphans.rows[0]?.n ?? 0, missing.rows[0]?.n ?? 0]
  return {
    check: 'profiles',
    ok: lost === 0 && without === 0,
    detail:
      lost === 0 && without === 0
        ? 'profiles and events agree'
        : `${lost} profiles without identity, ${without} customers without profile; run huitou replay`,
  }
}

async function checkPlugins({ plugins }: Huitou): Promise<Finding[]> {
  return (await plugins.list()).map(({ id, state, error, version: own }) => ({
    check: `plugin ${id}`,
    ok: state !== 'failed' && state !== 'quarantined',
    detail: error ? `${own}, ${state}: ${error.message}` : `${own}, ${state}`,
  }))
}

async function checkDisk(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  return { check: 'disk', ok: free > LOW_DISK_BYTES, detail: `${(free / 1e9).toFixed(1)} GB free` }
}
