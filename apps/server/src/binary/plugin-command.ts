import path from 'node:path'
import { isSea } from 'node:sea'
import type { FindRunnerCommand } from '@huitou/plugin-host'

/**
 * How the single binary starts a plugin's process: itself, told which program to be. It takes Node's flags from the
 * environment only; the process may read the folder of that program and nothing else of Huitou. Undefined from the
 * source tree, where Node is given a file.
 */
export function findBinaryCommand(): FindRunnerCommand | undefined {
  if (!isSea()) return undefined
  const folder = path.join(import.meta.dirname, 'plugin')
  return (nodeFlags) => ({
    command: process.execPath,
    args: [path.join(folder, 'plugin-process.mjs')],
    env: {
      NODE_OPTIONS: [...nodeFlags, `--allow-fs-read=${folder}`].map((flag) => JSON.stringify(flag)).join(' '),
    },
  })
}
