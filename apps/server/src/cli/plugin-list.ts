import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

export const listCommand = defineCommand({
  meta: { name: 'list', description: 'Plugins that are installed' },
  args: commonArgs,
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args)
      const plugins = (await huitou.plugins.list()).map(
        ({ id, version, state, kind, signature, versions, error, update }) => ({
          ...{ id, version, state, kind, signature: signature.state, error },
          versions: versions.map((each) => each.version),
          update: update?.version ?? null,
        }),
      )
      const lines = plugins.map(
        ({ id, version, state, signature, error, update }) =>
          `${id} ${version}\t${state}\t${signature}${update ? `\t${update} is out` : ''}${error ? `\t${error.code}: ${error.message}` : ''}`,
      )
      print(args, { plugins }, lines.join('\n'))
    })
  },
})
