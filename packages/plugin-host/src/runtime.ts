import { Worker } from 'node:worker_threads'
import { AppError } from '@huitou/plugin-api'
import { createPeer } from './peer.ts'
import type { Peer, Serve } from './peer.ts'
import { fromWireError, toWireError } from './wire-error.ts'
import type { WireError } from './wire-error.ts'

/** Somewhere plugins run: today a worker thread; a process of its own would look the same from here. */
export interface Runtime {
  readonly peer: Peer
  /** Ends it without asking anyone. */
  stop(): Promise<void>
  /** Ends it as if `culprit` had crashed it. */
  kill(reason: Error, culprit: string): void
}

export interface RuntimeExit {
  error: AppError
  /** The plugin whose code ended it, when that is known for sure. */
  culprit: string | undefined
}

export interface RuntimeOptions {
  serve: Serve
  /** Called once when it ends by itself; not after `stop()`. */
  onExit(exit: RuntimeExit): void
  /** Heap limit in MiB. */
  memoryMb: number
}

/** Starts a worker thread that plugins share. It sees neither this process's environment nor its flags. */
export function startWorker({ serve, onExit, memoryMb }: RuntimeOptions): Runtime {
  const worker = new Worker(new URL('./plugin-worker.ts', import.meta.url), {
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  })
  let failure: WireError | undefined
  let culprit: string | undefined
  let stopping = false

  const peer = createPeer(
    {
      post: (message, transfer) => worker.postMessage(message, transfer),
      onMessage: (listener) => worker.on('message', listener),
    },
    (method, args, signal) => {
      if (method !== 'crash') return serve(method, args, signal)
      ;[culprit, failure] = args as [string | undefined, WireError]
    },
  )
  worker.on('error', (error) => (failure ??= toWireError(error)))
  worker.on('exit', (code) => {
    const error = crashError(failure, code)
    peer.close(error)
    if (!stopping) onExit({ error, culprit })
  })
  worker.unref()

  return {
    peer,
    async stop() {
      stopping = true
      peer.close(new AppError('world', 'E_PLUGIN_STOPPED', 'Plugins are being stopped', { status: 503 }))
      await worker.terminate()
    },
    kill(reason, by) {
      failure ??= toWireError(reason)
      culprit ??= by
      void worker.terminate()
    },
  }
}

function crashError(failure: WireError | undefined, code: number): AppError {
  const cause = failure ? fromWireError(failure) : undefined
  return new AppError(
    'world',
    'E_PLUGIN_CRASHED',
    `The thread that runs plugins ended: ${cause?.message ?? `exit code ${code}`}`,
    {
      status: 503,
      hint: 'It starts again by itself; try once more.',
      cause,
    },
  )
}
