import { AppError } from '@huitou/plugin-api'
import { fromWireError, toWireError } from './wire-error.ts'
import type { WireError } from './wire-error.ts'
import { transferList } from './transfer.ts'

/** Something that carries structured clones both ways: a message port, or a child process's channel. */
export interface Wire {
  post(message: Message, transfer: ReturnType<typeof transferList>): void
  onMessage(listener: (message: Message) => void): void
}

export type Message =
  | { type: 'request'; id: number; method: string; args: unknown[] }
  | { type: 'cancel'; id: number }
  | { type: 'answer'; id: number; value: unknown }
  | { type: 'failure'; id: number; error: WireError }
  | { type: 'notice'; method: string; args: unknown[] }

export interface CallOptions {
  /** Aborting it rejects at once and tells the other side. */
  signal?: AbortSignal | undefined
  /** Milliseconds after which the call fails with `E_DEADLINE` and the other side is told to stop. */
  deadlineMs?: number | undefined
}

/** One end of a wire. Both ends can call, and both serve. Typed arrays in arguments and answers are moved. */
export interface Peer {
  call(method: string, args: unknown[], options?: CallOptions): Promise<unknown>
  /** Tells without waiting; whatever goes wrong with it on the other side is lost. */
  notify(method: string, args: unknown[]): void
  /** Whether the call with this id still waits for its answer. */
  isWaiting(id: number): boolean
  /** Fails every call in flight and all later ones with `reason`. */
  close(reason: Error): void
}

/** Answers a request of the other side. `signal` aborts when the caller no longer wants it. */
export type Serve = (method: string, args: unknown[], signal: AbortSignal) => unknown

/** Starts talking over `wire`. */
export function createPeer(wire: Wire, serve: Serve): Peer {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  const serving = new Map<number, AbortController>()
  let lastId = 0
  let closed: Error | undefined

  async function answer(id: number, method: string, args: unknown[]): Promise<void> {
    const abort = new AbortController()
    serving.set(id, abort)
    try {
      const value = await serve(method, args, abort.signal)
      if (!closed) wire.post({ type: 'answer', id, value }, transferList(value))
    } catch (error) {
      if (!closed) wire.post({ type: 'failure', id, error: toWireError(error) }, [])
    } finally {
      serving.delete(id)
    }
  }

  wire.onMessage((message) => {
    switch (message.type) {
      case 'request':
        return void answer(message.id, message.method, message.args)
      case 'notice':
        return void new Promise((resolve) => resolve(serve(message.method, message.args, neverAborts))).catch(
          () => {},
        )
      case 'cancel':
        return serving.get(message.id)?.abort()
      case 'answer':
        return waiting.get(message.id)?.resolve(message.value)
      case 'failure':
        return waiting.get(message.id)?.reject(fromWireError(message.error))
    }
  })

  return {
    call(method, args, { signal, deadlineMs } = {}) {
      if (closed) return Promise.reject(closed)
      if (signal?.aborted) return Promise.reject(signal.reason)
      const id = ++lastId
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const giveUp = (reason: unknown) => {
        if (!closed) wire.post({ type: 'cancel', id }, [])
        reject(reason)
      }
      const onAbort = () => giveUp(signal?.reason)
      const timer =
        deadlineMs === undefined ? undefined : setTimeout(() => giveUp(deadlineError(deadlineMs)), deadlineMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      waiting.set(id, { resolve, reject })
      try {
        wire.post({ type: 'request', id, method, args }, transferList(args))
      } catch (error) {
        reject(error) // something in `args` cannot be cloned
      }
      return promise.finally(() => {
        waiting.delete(id)
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      })
    },
    notify(method, args) {
      if (!closed) wire.post({ type: 'notice', method, args }, transferList(args))
    },
    isWaiting: (id) => waiting.has(id),
    close(reason) {
      closed ??= reason
      for (const { reject } of waiting.values()) reject(reason)
      for (const abort of serving.values()) abort.abort(reason)
    },
  }
}

const neverAborts = new AbortController().signal

function deadlineError(deadlineMs: number): AppError {
  return new AppError('world', 'E_DEADLINE', `No answer within ${deadlineMs} ms`, { status: 504 })
}
