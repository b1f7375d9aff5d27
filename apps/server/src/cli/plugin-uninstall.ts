import { userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

const CHOICES = ['keep', 'export', 'erase'] as const

export const uninstallCommand = defineCommand({
  meta: { name: 'uninstall', description: 'Uninstall a plugin, and say what becomes of what it owns' },
  args: {
    id: { type: 'positional', required: true, description: 'id, as huitou plugin list shows it' },
    ...commonArgs,
    owned: {
      type: 'string',
      valueHint: 'keep|export|erase',
      description:
        'its columns, records and settings: keep them, write them to a file and erase them, or erase them',
    },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args)
      const data = await huitou.plugins.data(args.id)
      const owned = CHOICES.find((choice) => choice === args.owned)
      if (!owned) {
        const records = data.collections.reduce((sum, { records: count }) => sum + count, 0)
        throw userError(
          'E_UNINSTALL',
          `"${args.id}" owns ${data.columns.length} columns and ${records} records; say what becomes of them`,
          { hint: '--owned keep, --owned export or --owned erase.', details: { ...data } },
        )
      }
      const { export: address } = await huitou.plugins.uninstall(args.id, owned)
      const file = address && huitou.plugins.exportFile(decodeURIComponent(address.split('/').at(-1)!))
      print(
        args,
        { id: args.id, owned, file },
        `${args.id} is uninstalled${file ? `; its data is in ${file}` : ''}`,
      )
    })
  },
})
