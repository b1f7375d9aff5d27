import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { RunnerCommand } from './runner-command.ts'

const places = ['/usr/bin/setpriv', '/bin/setpriv']
const wrapperArgs = ['--pdeathsig', 'KILL', '--no-new-privs']
let wrapper: string | undefined | null = null

/**
 * `command`, started so that it does not outlive this process even when this one is killed and that one loops without
 * end, and so that it can gain no privileges. Only Linux with util-linux has the means; elsewhere it is left as it is,
 * and a process ends when it next looks at its channel.
 */
export function dyingWithServer(command: RunnerCommand): RunnerCommand {
  if (wrapper === null) wrapper = findWrapper()
  if (wrapper === undefined) return command
  return { ...command, command: wrapper, args: [...wrapperArgs, command.command, ...command.args] }
}

function findWrapper(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const works = (place: string) =>
    existsSync(place) && spawnSync(place, [...wrapperArgs, 'true'], { timeout: 5_000 }).status === 0
  return places.find(works)
}
