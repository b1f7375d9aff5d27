import { existsSync } from 'node:fs'
import { folderRegistry, npmRegistry, type Registry, webRegistry } from '@huitou/plugin-host/install'
import { defineCommand } from 'citty'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

export const searchCommand = defineCommand({
  meta: {
    name: 'search',
    description: 'Find plugins in the registries of this Huitou, or in one that you name',
  },
  args: {
    text: { type: 'positional', required: false, default: '', description: 'words; all plugins if absent' },
    ...commonArgs,
    registry: {
      type: 'string',
      valueHint: 'npm|URL|DIR',
      description: 'look there instead: your npm configuration, an index.json, a folder of .tgz',
    },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      const found =
        args.registry === undefined ? await searchAll(args) : await searchOne(args.registry, args.text)
      const lines = [
        ...found.results.map(({ name, version, displayName }) => `${name} ${version}\t${displayName.en}`),
        ...found.problems.map(({ registry, code, message }) => `${registry}: ${code}: ${message}`),
      ]
      print(args, found, lines.join('\n') || 'Nothing was found')
    })
  },
})

async function searchAll(args: Parameters<typeof openForCommand>[0] & { text: string }) {
  await using huitou = await openForCommand(args)
  return await huitou.plugins.search(args.text, AbortSignal.timeout(60_000))
}

async function searchOne(where: string, text: string) {
  return { results: await openNamed(where).search(text), problems: [] }
}

function openNamed(where: string): Registry {
  const own = { id: where, title: where }
  if (where === 'npm') return npmRegistry(own)
  return existsSync(where) ? folderRegistry({ ...own, path: where }) : webRegistry({ ...own, url: where })
}
