import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

const FOLDER = 'huitou-rehearsal-'

/** A folder of its own for one rehearsal. Those of servers that are no more are taken away first. */
export async function makeRehearsalFolder(): Promise<string> {
  await sweepFolders()
  return await mkdtemp(path.join(tmpdir(), `${FOLDER}${process.pid}-`))
}

/** What a server that was killed in the middle left lying is customers' data, and nobody's any more. */
async function sweepFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(FOLDER) ? Number(/^\d+(?=-)/.exec(name.slice(FOLDER.length))?.[0]) : NaN
    if (Number.isInteger(pid) && !isAlive(pid))
      await rm(path.join(tmpdir(), name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process may not be signalled, but it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
