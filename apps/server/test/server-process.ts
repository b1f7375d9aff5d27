import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

const main = path.join(import.meta.dirname, '../src/main.ts')

export interface ServerProcess {
  readonly child: ChildProcess
  readonly url: string
  /** What it has written to its log, whole once it has ended. */
  readonly log: Promise<string>
  /** Exit code and signal. */
  readonly ended: Promise<[number | null, NodeJS.Signals | null]>
}

export interface ProcessOptions {
  args?: readonly string[]
  env?: Record<string, string | undefined>
}

/** Starts the real server as a process of its own and waits until it answers. */
export async function startServerProcess(
  dataDir: string,
  { args = [], env = {} }: ProcessOptions = {},
): Promise<ServerProcess> {
  const child = spawn(
    process.execPath,
    [main, 'serve', '--data', dataDir, '--port', '0', '--json', ...args],
    {
      env: { ...process.env, HUITOU_LOG_LEVEL: 'info', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const ended = once(child, 'exit') as ServerProcess['ended']
  const log = text(child.stderr)
  const said: string[] = []
  const ready = Promise.withResolvers<string>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(line)
    // An error is a JSON document too, over several lines.
    if (line.startsWith('{"url"')) ready.resolve(line)
  })
  const line = await Promise.race([
    ready.promise,
    ended.then(async () =>
      Promise.reject(new Error(`It ended before it answered: ${await log}${said.join('\n')}`)),
    ),
  ])
  return { child, ended, log, url: (JSON.parse(line) as { url: string }).url }
}

/** Runs a command of the command line to its end. */
export async function runHuitou(
  args: readonly string[],
  env: Record<string, string | undefined> = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, HUITOU_LOG_LEVEL: 'silent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  return { code, out, err }
}
