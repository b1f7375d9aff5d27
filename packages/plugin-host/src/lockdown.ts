import fs from 'node:fs'
import os from 'node:os'
import { syncBuiltinESMExports } from 'node:module'
import v8 from 'node:v8'

/**
 * Takes from this process what Node's permission model leaves: signals and priorities of other processes, flags of
 * the engine, who and where we are. Files, network, processes, threads, addons and the inspector are closed by the
 * flags that the process was started with. To be called before any foreign code is loaded.
 */
export function lockDown(): void {
  for (const name of forbiddenOfProcess) forbid(process, name, `process.${name}`)
  for (const name of ['setPriority', 'getPriority', 'userInfo', 'homedir', 'networkInterfaces'] as const) {
    forbid(os, name, `os.${name}`)
  }
  replace(os, 'hostname', () => 'plugin')
  // Node's own walk along a path asks for no permission, and so tells of any file whether there is one.
  const { native } = fs.realpathSync
  replace(
    fs,
    'realpathSync',
    Object.assign((...args: Parameters<typeof native>) => native(...args), { native }),
  )
  for (const name of ['setFlagsFromString', 'setHeapSnapshotNearHeapLimit', 'writeHeapSnapshot'] as const) {
    forbid(v8, name, `v8.${name}`)
  }
  // Otherwise `import { setPriority } from 'node:os'` would still hand out the old ones.
  syncBuiltinESMExports()
  for (const name of Object.keys(process.env)) delete process.env[name]
  process.execArgv.length = 0
  process.argv.length = 1
  replace(process, 'report', undefined)
}

const forbiddenOfProcess = [
  'kill',
  '_kill',
  '_debugProcess',
  '_debugEnd',
  'binding',
  '_linkedBinding',
  'dlopen',
  'execve',
  'chdir',
  'umask',
  'loadEnvFile',
  'setuid',
  'setgid',
  'seteuid',
  'setegid',
  'setgroups',
  'initgroups',
  'openStdin',
  '_getActiveHandles',
  '_getActiveRequests',
]

function forbid(owner: object, name: string, title: string): void {
  if (!(name in owner)) return
  replace(owner, name, () => {
    throw Object.assign(new Error(`${title} is not available to plugins`), { code: 'ERR_ACCESS_DENIED' })
  })
}

/** For good: it can neither be set nor defined anew. */
function replace(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, writable: false, configurable: false, enumerable: true })
}
