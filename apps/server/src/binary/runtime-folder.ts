import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { getRawAsset } from 'node:sea'

/** What a binary carries. */
export interface Contents {
  version: string
  /** Of all files and their names; names the folder they are laid out in. */
  digest: string
  files: string[]
}

/** Other builds that nobody has started for so long are taken away. */
const UNUSED_MS = 30 * 24 * 3_600_000

/**
 * Folders the files may lie in, best first: where the owner says, the cache of the user, the data folder, the system's
 * folder for temporary files. A service often has no home, a container often no writable disk but its volume.
 */
export function findRuntimeFolder(
  { digest }: Contents,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): string[] {
  const data = dataFolder(argv)
  return [
    environment['HUITOU_RUNTIME_DIR'],
    cacheFolder(environment),
    ...(data === undefined ? [] : [path.join(data, 'runtime')]),
    path.join(tmpdir(), `huitou-${userInfo().uid}`),
  ].flatMap((folder) => (folder ? [path.join(path.resolve(folder), digest)] : []))
}

function cacheFolder(environment: NodeJS.ProcessEnv): string | undefined {
  if (process.platform === 'win32') {
    const local = environment['LOCALAPPDATA']
    return local === undefined ? undefined : path.join(local, 'Huitou', 'runtime')
  }
  const home = environment['HOME'] === undefined ? undefined : homedir()
  if (process.platform === 'darwin')
    return home === undefined ? undefined : path.join(home, 'Library', 'Caches', 'huitou')
  const caches = environment['XDG_CACHE_HOME'] || (home === undefined ? undefined : path.join(home, '.cache'))
  return caches === undefined ? undefined : path.join(caches, 'huitou')
}

function dataFolder(argv: readonly string[]): string | undefined {
  const index = argv.findIndex((argument) => argument === '--data' || argument.startsWith('--data='))
  if (index < 0) return argv[2] === 'serve' ? '.data' : undefined
  return argv[index]?.split('=')[1] ?? argv[index + 1]
}

/**
 * Makes sure that the files lie in one of the folders, and returns it. Written beside and renamed, so that a folder is
 * whole or not there, whoever is killed in between and whoever does the same at the same time.
 */
export function layOut(contents: Contents, folders: readonly string[]): string {
  const problems: string[] = []
  for (const folder of folders) {
    try {
      if (!isOurs(folder)) write(contents, folder)
      const now = new Date()
      utimesSync(folder, now, now)
      return folder
    } catch (error) {
      problems.push(`${folder}: ${(error as Error).message}`)
    }
  }
  process.stderr.write(
    `Huitou has nowhere to put the files it brings along.\n${problems.join('\n')}\n` +
      'Name a folder that this user can write with HUITOU_RUNTIME_DIR.\n',
  )
  process.exit(1)
}

/** A folder that others can write would let them choose what this process runs. */
function isOurs(folder: string): boolean {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (!found) return false
  if (process.platform !== 'win32' && (found.uid !== userInfo().uid || (found.mode & 0o022) !== 0))
    throw new Error('somebody else can write it')
  return true
}

function write({ files }: Contents, folder: string): void {
  const parent = path.dirname(folder)
  mkdirSync(parent, { recursive: true, mode: 0o700 })
  if (process.platform !== 'win32' && statSync(parent).uid !== userInfo().uid)
    throw new Error('it belongs to somebody else')
  const beside = `${folder}.${process.pid}`
  rmSync(beside, { recursive: true, force: true })
  mkdirSync(beside, { mode: 0o700 })
  for (const file of files) {
    const target = path.join(beside, file)
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, new Uint8Array(getRawAsset(file)))
  }
  chmodSync(beside, 0o700)
  try {
    renameSync(beside, folder)
  } catch (error) {
    rmSync(beside, { recursive: true, force: true })
    if (!isOurs(folder)) throw error
  }
  sweep(parent, path.basename(folder))
}

function sweep(parent: string, present: string): void {
  for (const name of readdirSync(parent)) {
    if (name === present || !/^[0-9a-f]{16}(\.\d+)?$/.test(name)) continue
    const other = path.join(parent, name)
    const found = statSync(other, { throwIfNoEntry: false })
    if (found && found.mtimeMs < Date.now() - UNUSED_MS) rmSync(other, { recursive: true, force: true })
  }
}
