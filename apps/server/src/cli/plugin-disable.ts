import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

export const disableCommand = defineCommand({
  meta: { name: 'disable', description: 'Disable a plugin; settings and data stay' },
  args: {
    id: { type: 'positional', required: true, description: 'id, as huitou plugin list shows it' },
    ...commonArgs,
  },
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args)
      await huitou.plugins.disable(args.id)
      const { id, version, state } = await huitou.plugins.get(args.id)
      print(args, { id, version, state }, `${id} ${version} is ${state}`)
    })
  },
})
