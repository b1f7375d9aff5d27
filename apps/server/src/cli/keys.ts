import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

export const keysCommand = defineCommand({
  meta: { name: 'keys', description: 'Keys that personal data is sealed with: list | rotate' },
  args: {
    action: { type: 'positional', required: false, default: 'list', description: 'list | rotate' },
    ...commonArgs,
  },
  async run({ args }) {
    await runCommand(args, async () => {
      if (args.action !== 'list' && args.action !== 'rotate')
        throw userError('E_ACTION', `"${args.action}" is not something to do with keys`, {
          hint: 'list or rotate.',
        })
      await using huitou = await openForCommand(args, { existing: true })
      const { keys } = huitou.core
      if (!keys) throw userError('E_NOT_SEALED', 'Personal data is not sealed in this database')
      const rotated = args.action === 'rotate' ? await keys.rotate() : undefined
      const list = await keys.list()
      const lines = list.map(
        ({ id, createdAt }, index) =>
          `${id}\t${new Date(createdAt).toISOString()}\t${index === list.length - 1 ? 'seals' : 'opens; goes when nothing is sealed with it'}`,
      )
      const note = rotated
        ? ['The server seals everything anew while it runs; see its jobs for how far it is.']
        : []
      print(args, { keys: list, ...(rotated ? { rotated } : {}) }, [...lines, ...note].join('\n'))
    })
  },
})
