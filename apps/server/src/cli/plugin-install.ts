import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { PluginView } from '@huitou/core'
import { AppError, notFound, userError } from '@huitou/plugin-api'
import { defineCommand } from 'citty'
import type { Huitou } from '../open-huitou.ts'
import { commonArgs, openForCommand, print, runCommand } from './open.ts'

export const installCommand = defineCommand({
  meta: { name: 'install', description: 'Install a plugin from a .tgz or a registry; it stays disabled' },
  args: {
    what: { type: 'positional', required: true, description: 'a .tgz, or NAME[@VERSION] in a registry' },
    ...commonArgs,
    registry: {
      type: 'string',
      valueHint: 'ID',
      description: 'the registry to take it from; each in turn if absent',
    },
    'accept-new-key': {
      type: 'boolean',
      default: false,
      description: 'although another key signed it than before; ask the publisher first',
    },
  },
  async run({ args }) {
    await runCommand(args, async () => {
      await using huitou = await openForCommand(args)
      const plugin = await install(huitou, args)
      const { id, version, versions, signature, permissions } = plugin
      const here = versions.map((each) => each.version)
      print(
        args,
        { id, version, versions: here, signature, permissions },
        `${id} ${here.join(', ')}: ${signature.state}. huitou plugin enable ${id} enables it.`,
      )
    })
  },
})

interface Wish {
  what: string
  registry?: string | undefined
  'accept-new-key': boolean
}

async function install({ plugins }: Huitou, wish: Wish): Promise<PluginView> {
  const { what, registry, 'accept-new-key': acceptNewKey } = wish
  if (what.endsWith('.tgz')) {
    if (!existsSync(what)) throw userError('E_ARCHIVE_FILE', `There is no ${what}`)
    return await plugins.upload(await readFile(what), { file: path.basename(what), acceptNewKey })
  }
  const [, name = what, version] = /^(@?[^@]+)@(.+)$/.exec(what) ?? []
  const ids = registry === undefined ? (await plugins.registries()).map(({ id }) => id) : [registry]
  for (const id of ids) {
    try {
      return await plugins.install({ registry: id, name, version, acceptNewKey })
    } catch (error) {
      const isElsewhere = error instanceof AppError && error.code === 'E_NOT_FOUND' && ids.length > 1
      if (!isElsewhere) throw error
    }
  }
  throw notFound('Plugin', what)
}
