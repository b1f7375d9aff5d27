import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { captureOutput } from './output-capture.ts'
import { createPeer } from './peer.ts'
import { ExitReason, stoppedError } from './runtime.ts'
import type { Runtime, RuntimeOptions } from './runtime.ts'

const usagePatienceMs = 1_000

export interface WorkerRuntimeOptions extends RuntimeOptions {
  /** Module that the thread runs; that of the source tree when absent. */
  entry?: URL | undefined
}

/**
 * Starts a thread for one trusted plugin. It sees neither this process's environment nor its flags, and what it
 * prints goes to its log.
 */
export function startWorker({
  serve,
  onExit,
  onOutput,
  budget,
  entry = besideThis('plugin-worker'),
}: WorkerRuntimeOptions): Runtime {
  const worker = new Worker(entry, {
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: budget.heapMb },
  })
  const reason = new ExitReason()
  let stopping = false

  const peer = createPeer(
    {
      post: (message, transfer) => worker.postMessage(message, transfer),
      onMessage: (listener) => worker.on('message', listener),
    },
    (method, args, signal) => (method === 'crash' ? reason.note(args[0]) : serve(method, args, signal)),
  )
  captureOutput(worker.stdout, (line) => onOutput('info', line))
  captureOutput(worker.stderr, (line) => onOutput('warn', line))
  worker.on('error', (error) => reason.note(error))
  worker.on('exit', (code) => {
    const error = reason.toError(`exit code ${code}`)
    peer.close(error)
    if (!stopping) onExit(error)
  })
  worker.unref()

  return {
    kind: 'worker',
    pid: undefined,
    peer,
    async usage() {
      const figures = Promise.all([worker.cpuUsage(), worker.getHeapStatistics()])
      // A thread that waits in one call of the system answers nothing, and is to be noticed all the same.
      const found = await Promise.race([figures, sleep(usagePatienceMs, undefined, { ref: false })])
      if (!found) return undefined
      const [cpu, heap] = found
      return {
        cpuMs: (cpu.user + cpu.system) / 1_000,
        memoryBytes: heap.total_physical_size + heap.external_memory,
      }
    },
    async profile(ms) {
      const profile = await worker.startCpuProfile()
      await sleep(ms)
      return await profile.stop()
    },
    async stop() {
      stopping = true
      peer.close(stoppedError())
      worker.ref()
      await worker.terminate()
    },
    kill(error) {
      reason.note(error)
      void worker.terminate()
    },
  }
}

/** A module beside this one: TypeScript in the source tree, JavaScript in a package that was built. */
function besideThis(name: string): URL {
  return new URL(`./${name}${path.extname(import.meta.url)}`, import.meta.url)
}
