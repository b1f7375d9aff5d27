// Gets from any Node ≥ 18 to an installed workspace and the Node it is pinned to. Plain JavaScript without
// dependencies, because it runs before there are any. Everything it prints goes to standard error.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

const windows = process.platform === 'win32'
const modules = path.join(root, 'node_modules')
const stamp = path.join(modules, '.huitou-install')
const lock = path.join(root, '.huitou-install.lock')

/** The pinned Node's executable; it exists once `ensureInstalled` has returned. */
export const pinnedNode = path.join(modules, 'node', 'bin', windows ? 'node.exe' : 'node')

/**
 * Installs the dependencies unless they are those of the lock file already. Two calls at once are safe: the
 * second waits for the first. `quiet` shows the installer's own words only when it fails.
 */
export async function ensureInstalled({ quiet = false } = {}) {
  requireNode18()
  if (isInstalled()) return
  const release = await takeLock()
  try {
    if (isInstalled()) return
    install(quiet)
    if (!existsSync(pinnedNode)) fail('The pinned Node was not installed.', nodeHint())
    writeFileSync(stamp, lockfileHash())
  } finally {
    release()
  }
}

/**
 * Environment in which `node` and every tool of the workspace are the pinned ones. What V8 has compiled is kept: a server
 * started from source, and each tool, would otherwise compile all of its modules anew at every start.
 */
export function pinnedEnvironment(extra = {}) {
  const folders = [path.dirname(pinnedNode), path.join(modules, '.bin')]
  const key = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  return {
    NODE_COMPILE_CACHE: path.join(modules, '.cache', 'compiled'),
    ...process.env,
    ...extra,
    [key]: [...folders, process.env[key] ?? ''].join(path.delimiter),
  }
}

/** Runs the pinned Node with `args` on this terminal and resolves to its exit code. Ctrl-C reaches it. */
export function runPinned(args, { cwd = root, env = {} } = {}) {
  const child = spawn(pinnedNode, args, { cwd, env: pinnedEnvironment(env), stdio: 'inherit' })
  // A terminal sends Ctrl-C to the child as well; passing it on would make it two.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => {
    child.on('error', (error) => fail(`The pinned Node did not start: ${error.message}`, nodeHint()))
    child.on('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}

/** Runs the pinned pnpm on this terminal, with the pinned Node for what it starts. Returns its exit code. */
export function runPnpm(args) {
  const env = pinnedEnvironment({ TURBO_TELEMETRY_DISABLED: '1' })
  return pnpm(args, { stdio: 'inherit', env }).status ?? 1
}

function requireNode18() {
  const major = Number(process.versions.node.split('.')[0])
  if (major >= 18) return
  fail(
    `Huitou's scripts need Node 18 or newer to start, and this is ${process.version}.`,
    'Install a newer Node from https://nodejs.org. The server itself runs on a Node that Huitou brings along.',
  )
}

function isInstalled() {
  return existsSync(pinnedNode) && existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfileHash()
}

function lockfileHash() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml'])
    hash.update(readFileSync(path.join(root, file)))
  return hash.digest('hex')
}

function install(quiet) {
  const { packageManager } = manifest()
  process.stderr.write(`Installing dependencies with ${packageManager} …\n`)
  const result = pnpm(['install', '--frozen-lockfile', '--reporter=append-only'], {
    // Its report must not mix with what a command prints on standard output.
    stdio: quiet ? 'pipe' : ['ignore', 2, 2],
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, CI: process.env.CI ?? 'true' },
  })
  if (result.status === 0) return
  if (quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
  const what = result.error ? `npx did not start: ${result.error.message}` : `exit code ${result.status}`
  fail(
    `The dependencies could not be installed (${what}).`,
    `Try \`npx --yes ${packageManager} install --frozen-lockfile\` by hand. It needs a package registry: check the ` +
      'network, `npm config get registry` and any proxy, then run the command again.',
  )
}

/** The pinned pnpm, which npx fetches once. */
function pnpm(args, options) {
  const command = ['--yes', manifest().packageManager, ...args]
  return spawnSync(windows ? 'npx.cmd' : 'npx', command, { cwd: root, shell: windows, ...options })
}

function manifest() {
  return JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
}

async function takeLock() {
  for (let announced = false; ; announced = true) {
    try {
      const handle = openSync(lock, 'wx')
      writeFileSync(handle, String(process.pid))
      closeSync(handle)
      process.once('exit', releaseLock)
      return releaseLock
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (!isHeld()) rmSync(lock, { force: true })
    else if (!announced)
      process.stderr.write('Another command is installing dependencies; waiting for it …\n')
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
}

function releaseLock() {
  process.off('exit', releaseLock)
  rmSync(lock, { force: true })
}

function isHeld() {
  try {
    const owner = Number(readFileSync(lock, 'utf8'))
    // Empty for the instant between creating the file and writing to it.
    if (owner > 0) process.kill(owner, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function nodeHint() {
  return (
    `Its build for ${process.platform}-${process.arch} comes as the package \`node\`; remove node_modules and run the ` +
    'command again. If there is no such build, this platform cannot run Huitou from source.'
  )
}

function fail(message, hint) {
  process.stderr.write(`\n${message}\n${hint}\n`)
  process.exit(1)
}
