import { readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { userError } from '@huitou/plugin-api'

const mostEntries = 20_000

/**
 * The real path of a plugin's folder, once it is certain that no link leads out of it. Node's permission model follows links
 * wherever they lead, so one that points at a file of the server would open it.
 */
export async function checkLinks(pluginId: string, dir: string): Promise<string> {
  const root = await realpath(dir)
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  if (entries.length > mostEntries) {
    throw userError('E_PLUGIN_FOLDER', `Plugin "${pluginId}" has more than ${mostEntries} files`, {
      hint: 'Bundle its dependencies into its entry.',
    })
  }
  for (const entry of entries) {
    if (!entry.isSymbolicLink()) continue
    const link = path.join(entry.parentPath, entry.name)
    const target = await realpath(link).catch(() => undefined)
    if (target === root || target?.startsWith(root + path.sep)) continue
    throw userError(
      'E_PLUGIN_FOLDER',
      `Plugin "${pluginId}" holds a link out of its folder: ${path.relative(root, link)}`,
      {
        hint: 'Pack it with `huitou plugin pack` and install that, or bundle its dependencies into its entry.',
      },
    )
  }
  return root
}
