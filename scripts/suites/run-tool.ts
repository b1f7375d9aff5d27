import { spawn } from 'node:child_process'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '../..')

interface ToolOptions {
  cwd?: string
  env?: Record<string, string>
  /** Keep the output back and hand it over instead of showing it as it comes. */
  quiet?: boolean
}

/** Runs a tool of the workspace and resolves to whether it ended well, with its output when `quiet`. */
export async function runTool(command: string, args: string[], options: ToolOptions = {}) {
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  }
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', (error) => reject(new Error(`${command} did not start: ${error.message}`)))
  child.on('close', resolve)
  return { ok: (await promise) === 0, output }
}
