import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'
import { consentArgs, toConsent, withConsent } from './plugin-consent.ts'

export const enableCommand = defineCommand({
  meta: { name: 'enable', description: 'Enable a plugin' },
  args: {
    id: { type: 'positional', required: true, description: 'id, as huitou plugin list shows it' },
    ...commonArgs,
    ...consentArgs,
  },
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args)
      await withConsent(() => huitou.plugins.enable(args.id, toConsent(args)))
      const { id, version, state, grants } = await huitou.plugins.get(args.id)
      print(args, { id, version, state, grants }, `${id} ${version} is ${state}`)
    })
  },
})
