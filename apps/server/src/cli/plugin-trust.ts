import { readPublisherKey } from '@huitou/cli/key-files'
import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

export const trustCommand = defineCommand({
  meta: {
    name: 'trust',
    description: 'Put the key of a publisher on the trust list; without one, show the list',
  },
  args: {
    file: { type: 'positional', required: false, description: 'the .pub.json file of the publisher' },
    ...commonArgs,
    remove: { type: 'string', valueHint: 'KEY-ID', description: 'take this key off the list' },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args)
      if (args.file !== undefined) await huitou.plugins.addPublisher(await readPublisherKey(args.file))
      if (args.remove !== undefined) await huitou.plugins.removePublisher(args.remove)
      const publishers = await huitou.plugins.publishers()
      print(
        args,
        { publishers },
        publishers.map(({ publisher, keyId }) => `${publisher}\t${keyId}`).join('\n'),
      )
    })
  },
})
