import { rewindProfiles, transact } from '@huitou/core'
import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { sql } from 'kysely'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'
import { bringUpToDate } from './up-to-date.ts'

export const replayCommand = defineCommand({
  meta: { name: 'replay', description: 'Work a stage out again from the event log' },
  args: {
    stage: { type: 'positional', required: false, default: 'profiles', description: 'profiles | scores' },
    ...commonArgs,
    'dry-run': { type: 'boolean', default: false, description: 'say what would be read, change nothing' },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      if (args.stage !== 'profiles' && args.stage !== 'scores') {
        throw userError('E_STAGE', `There is no stage "${args.stage}" to replay`, {
          hint: 'profiles or scores.',
        })
      }
      await using huitou = await openForCommand(args, { existing: true })
      const { db } = huitou.core.database
      const { events } = await db
        .selectFrom('events')
        .select(sql<number>`count(*)`.as('events'))
        .executeTakeFirstOrThrow()
      if (!args['dry-run']) {
        if (args.stage === 'profiles') await transact(db, rewindProfiles)
        else await huitou.core.scores.runAll({ force: true })
        await bringUpToDate(huitou)
      }
      const { customers } = await db
        .selectFrom('profiles')
        .select(sql<number>`count(*)`.as('customers'))
        .executeTakeFirstOrThrow()
      print(
        args,
        { stage: args.stage, events, customers },
        `${args.stage}: ${events} events, ${customers} customers`,
      )
    })
  },
})
