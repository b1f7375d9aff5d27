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
  for (const link of await linksIn(pluginId, root)) {
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

/** Node's own recursive reading goes through links, in circles as well; this does not. */
async function linksIn(pluginId: string, root: string): Promise<string[]> {
  const links: string[] = []
  const folders = [root]
  let entries = 0
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const place = path.join(folder, entry.name)
      if (entry.isSymbolicLink()) links.push(place)
      else if (entry.isDirectory()) folders.push(place)
      if (++entries <= mostEntries) continue
      throw userError('E_PLUGIN_FOLDER', `Plugin "${pluginId}" has more than ${mostEntries} files`, {
        hint: 'Bundle its dependencies into its entry.',
      })
    }
  }
  return links
}
