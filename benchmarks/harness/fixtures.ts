import { constants, copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const cache = path.join(tmpdir(), 'huitou-bench')

/** A folder that `make` filled, once; `name` holds every parameter of what is in it. */
export async function cachedFolder(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(cache, name)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const partial = mkdtempSync(`${folder}-partial-`)
  process.stderr.write(`Making the fixture ${name}, once …\n`)
  await make(partial)
  renameSync(partial, folder)
  return folder
}

/** An empty folder that is gone with the scope. */
export function scratchFolder(): Disposable & { path: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'huitou-bench-run-'))
  return { path: folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Copies a closed SQLite database, so that a benchmark may write to it. */
export function copyDatabase(from: string, to: string): void {
  copyFileSync(path.join(from, 'huitou.db'), path.join(to, 'huitou.db'), constants.COPYFILE_FICLONE)
}
