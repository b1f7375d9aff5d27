import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import type { Duplex, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@huitou/plugin-api'
import type { Budget } from './budget.ts'
import { dyingWithServer } from './die-with-server.ts'
import type { FrameLimits } from './frame.ts'
import { captureOutput } from './output-capture.ts'
import { createPeer } from './peer.ts'
import type { Peer } from './peer.ts'
import { findProcessUsage } from './process-usage.ts'
import { ExitReason, stoppedError } from './runtime.ts'
import type { Runtime, RuntimeOptions } from './runtime.ts'
import { sourceTreeCommand } from './runner-command.ts'
import type { FindRunnerCommand } from './runner-command.ts'
import { createScratchPair } from './scratch.ts'
import type { Scratch, ScratchPair } from './scratch.ts'
import { openGuardedWire } from './stream-wire.ts'

const mebibyte = 1_048_576
/** The server may send more at once than a plugin: whole tables go that way. */
export const sentByServer: FrameLimits = { structure: 128 * mebibyte, binary: 1_024 * mebibyte }
const backlogBytes = 1_536 * mebibyte
/** Lower than the server's, so that a busy plugin slows the server down little. */
const niceness = 5
/** How long what a process said last may take to arrive after it ended. */
const lastWordsMs = 250
const strikesToEnd = 5

export interface ProcessRuntimeOptions extends RuntimeOptions {
  /** The only folder it may read, as it is called and as it is really called. */
  dirs: readonly string[]
  findCommand?: FindRunnerCommand | undefined
}

/**
 * Starts a process for one plugin that nobody vouches for: Node's permission model closes files, network, processes,
 * threads and addons, `lockDown` the rest, and whatever comes through the channel is checked before it is believed.
 */
export function startProcess(options: ProcessRuntimeOptions): Runtime {
  const { budget, onOutput } = options
  const scratch = createScratchPair()
  const child = spawnRunner(options, scratch)
  scratch?.handOver()
  const channel = child.stdio[3] as Duplex
  const reason = new ExitReason()
  let stopping = false
  /** The last error that it printed, for when it says nothing else. */
  let complaint = ''
  const kill = (error: Error) => {
    reason.note(error)
    child.kill('SIGKILL')
  }
  const peer = openChannel(
    channel,
    { ...options, scratch: scratch?.own },
    { kill, onCrash: (error) => reason.note(error) },
  )

  captureOutput(child.stdout as Readable, (line) => onOutput('info', line))
  captureOutput(child.stderr as Readable, (line) => {
    if (line.includes('JavaScript heap out of memory')) reason.note(heapError(budget))
    if (/^\w*Error\b/.test(line)) complaint = `: ${line}`
    onOutput('warn', line)
  })
  child.on('error', (error) => reason.note(error))
  child.on('exit', (code, signal) => void ended(signal === null ? `exit code ${code}` : `signal ${signal}`))
  if (child.pid === undefined) child.once('error', () => void ended('it could not be started'))
  else yieldToServer(child.pid)
  // A process that has ended says so itself; one that only closed the channel would be waited for in vain.
  channel.once('close', () => setTimeout(() => kill(channelError()), lastWordsMs).unref())
  unref(child)

  async function ended(how: string): Promise<void> {
    if (!stopping) await lastWords(child)
    const error = reason.toError(how + complaint)
    peer.close(error)
    for (const stream of child.stdio) stream?.destroy()
    scratch?.own[Symbol.dispose]()
    if (!stopping) options.onExit(error)
  }

  return {
    kind: 'process',
    pid: child.pid,
    peer,
    async usage() {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return undefined
      // Where the system does not say, the plugin is asked; it could lie, but then only its own figures are wrong.
      const usage =
        findProcessUsage(child.pid) ?? readUsage(await peer.call('usage', [], { deadlineMs: budget.hangMs }))
      return usage && { ...usage, memoryBytes: usage.memoryBytes + (scratch?.own.heldBytes() ?? 0) }
    },
    async profile(ms) {
      const profile = await peer.call('profile', [ms], { deadlineMs: ms + budget.deadlineMs })
      if (typeof profile !== 'string')
        throw new AppError('bug', 'E_PLUGIN_MESSAGE', 'The plugin sent no profile')
      return profile
    },
    async stop() {
      stopping = true
      peer.close(stoppedError())
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      // Nothing else may be left that keeps the server waiting for it.
      child.ref()
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
    kill,
  }
}

function spawnRunner(
  { dirs, budget, findCommand = sourceTreeCommand }: ProcessRuntimeOptions,
  scratch: ScratchPair | undefined,
): ChildProcess {
  const runner = findCommand([
    '--permission',
    ...dirs.map((dir) => `--allow-fs-read=${dir}`),
    '--no-experimental-sqlite',
    '--disable-sigusr1',
    `--max-old-space-size=${budget.heapMb}`,
  ])
  const { command, args, env } = dyingWithServer(runner)
  const own = [budget.messageMb, budget.arraysMb, scratch ? 1 : 0]
  return spawn(command, [...args, ...own.map(String)], {
    cwd: dirs[0],
    env: process.platform === 'win32' ? { SystemRoot: process.env['SystemRoot'] ?? '', ...env } : env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...(scratch?.theirs ?? [])],
    // A group of its own: a signal to "my group" must not reach the server.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
}

function openChannel(
  channel: Duplex,
  { budget, serve, onThrottled, scratch }: ProcessRuntimeOptions & { scratch: Scratch | undefined },
  { kill, onCrash }: { kill(error: Error): void; onCrash(error: unknown): void },
): Peer {
  channel.on('error', () => {}) // it ends while we write; the exit says why
  const bytes = budget.messageMb * mebibyte
  let peer = undefined as Peer | undefined
  const wire = openGuardedWire(channel, {
    sends: sentByServer,
    accepts: { structure: bytes, binary: budget.arraysMb * mebibyte },
    rates: { messages: budget.messagesPerSecond, bytes },
    scratch,
    backlog: backlogBytes,
    isWaiting: (id) => peer?.isWaiting(id) ?? false,
    onViolation: (error) => kill(error),
    onThrottled(strikes) {
      onThrottled(strikes)
      if (strikes >= strikesToEnd) kill(floodError(budget, strikes))
    },
  })
  peer = createPeer(wire, (method, args, signal) => {
    if (method === 'effect') return serve(method, args, signal)
    if (method === 'crash') return onCrash(args[0])
    throw new AppError('bug', 'E_UNKNOWN_COMMAND', 'Plugins send effects and nothing else')
  })
  return peer
}

/** Best effort: less processor than the server, and the first to go when the machine runs out of memory. */
function yieldToServer(pid: number): void {
  try {
    os.setPriority(pid, Math.min(os.getPriority() + niceness, 19))
    if (process.platform === 'linux') writeFileSync(`/proc/${pid}/oom_score_adj`, '1000')
  } catch {
    // It has ended already, or the system does not allow it.
  }
}

/** A process keeps nobody waiting: calls under way have deadlines, which do. */
function unref(child: ChildProcess): void {
  child.unref()
  for (const stream of child.stdio) (stream as { unref?(): void } | null)?.unref?.()
}

/** Waits until all that the process wrote before its end has been read. */
async function lastWords(child: ChildProcess): Promise<void> {
  const streams = child.stdio.filter((stream) => stream && !stream.closed) as Readable[]
  for (const stream of streams) stream.resume()
  const read = Promise.all(streams.map((stream) => once(stream, 'close').catch(() => {})))
  await Promise.race([read, sleep(lastWordsMs)])
}

function readUsage(answer: unknown): { cpuMs: number; memoryBytes: number } | undefined {
  const { cpuMs, memoryBytes } = (answer ?? {}) as Record<string, unknown>
  return typeof cpuMs === 'number' && typeof memoryBytes === 'number' ? { cpuMs, memoryBytes } : undefined
}

function channelError(): AppError {
  return new AppError('bug', 'E_PLUGIN_MESSAGE', 'It closed its channel to the server')
}

function heapError({ heapMb }: Budget): AppError {
  return new AppError(
    'bug',
    'E_BUDGET_MEMORY',
    `It needed more than the ${heapMb} MiB of heap that are allowed`,
  )
}

function floodError({ messagesPerSecond, messageMb }: Budget, seconds: number): AppError {
  return new AppError(
    'bug',
    'E_BUDGET_MESSAGES',
    `It sent more than ${messagesPerSecond} messages or ${messageMb} MiB a second for ${seconds} s`,
  )
}
