import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'
import { consentArgs, toConsent, withConsent } from './plugin-consent.ts'

export const upgradeCommand = defineCommand({
  meta: { name: 'upgrade', description: 'Put another version of a plugin in force, or all back as it was' },
  args: {
    id: { type: 'positional', required: true, description: 'id, as huitou plugin list shows it' },
    ...commonArgs,
    ...consentArgs,
    version: { type: 'string', description: 'the version; the newest of its registry if absent' },
    'accept-new-key': {
      type: 'boolean',
      default: false,
      description: 'although another key signed it than before; ask the publisher first',
    },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args)
      const { version: wanted, 'accept-new-key': acceptNewKey } = args
      const { id, version, state } = await withConsent(() =>
        huitou.plugins.upgrade(args.id, {
          ...toConsent(args),
          ...(wanted !== undefined && { version: wanted }),
          ...(acceptNewKey && { acceptNewKey }),
        }),
      )
      print(args, { id, version, state }, `${id} ${version} is ${state}`)
    })
  },
})
