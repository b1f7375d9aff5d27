import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

export const reportCommand = defineCommand({
  meta: { name: 'report', description: 'Run a report, or list them' },
  args: {
    id: {
      type: 'positional',
      required: false,
      description: 'report id, for instance rfm.rfm; all are listed when absent',
    },
    ...commonArgs,
    parameters: { type: 'string', valueHint: 'JSON', default: '{}', description: 'parameters of the report' },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args, { existing: true })
      const { core } = huitou
      if (!args.id) {
        const reports = core.points.reports
          .list()
          .map(({ id, owner, value }) => ({ id, title: owner.text(value.title) }))
        print(args, { reports }, reports.map(({ id, title }) => `${id}\t${title.en}`).join('\n'))
        return
      }
      const entry = core.points.reports.find(args.id)
      if (!entry)
        throw userError('E_NOT_FOUND', `There is no report "${args.id}"`, {
          hint: 'huitou report lists them.',
        })
      const data = await entry.value.run(JSON.parse(args.parameters) as Record<string, unknown>, {
        now: core.clock.now(),
        signal: new AbortController().signal,
      })
      print(args, data, JSON.stringify(data, null, 2))
    })
  },
})
