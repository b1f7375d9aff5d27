import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

/**
 * Every file below `dir` by its path, `/` between folders. For what is neither file nor folder, `onOther` says what
 * counts in its place; a link is never followed.
 */
export async function readFiles(
  dir: string,
  onOther: (file: string) => Uint8Array,
): Promise<Map<string, Uint8Array>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory())
  return new Map(
    await Promise.all(
      files.map(async (entry) => {
        const file = path.join(entry.parentPath, entry.name)
        const name = path.relative(dir, file).split(path.sep).join('/')
        return [name, entry.isFile() ? await readFile(file) : onOther(file)] as const
      }),
    ),
  )
}
