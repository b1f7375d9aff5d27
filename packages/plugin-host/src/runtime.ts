import { AppError } from '@huitou/plugin-api'
import type { Budget, IsolationKind, Usage } from './budget.ts'
import type { Peer, Serve } from './peer.ts'
import type { PluginLogEntry } from './plugin-log.ts'
import { fromWireError, toWireError } from './wire-error.ts'
import type { WireError } from './wire-error.ts'

/** Where the code of one plugin runs. */
export interface Runtime {
  readonly kind: Exclude<IsolationKind, 'none'>
  /** Of a process of its own. */
  readonly pid: number | undefined
  readonly peer: Peer
  /** What it uses now; undefined when nobody can say. */
  usage(): Promise<Usage | undefined>
  /** Watches what its code spends time on for `ms`; answers a `.cpuprofile`. */
  profile(ms: number): Promise<string>
  /** Ends it without asking anyone. */
  stop(): Promise<void>
  /** Ends it as if it had crashed. */
  kill(reason: Error): void
}

export interface RuntimeOptions {
  /** Answers what the plugin asks of the server. */
  serve: Serve
  /** Called once when it ends by itself or is killed; not after `stop()`. */
  onExit(error: AppError): void
  onOutput(level: PluginLogEntry['level'], line: string): void
  /** It was held back for sending too much; `seconds` in a row. */
  onThrottled(seconds: number): void
  budget: Budget
}

/** What ended a runtime, collected from wherever a hint comes. */
export class ExitReason {
  #failure: WireError | undefined

  /** The first reason holds: what follows is mostly its consequence. */
  note(error: unknown): void {
    this.#failure ??= toWireError(error)
  }

  toError(otherwise: string): AppError {
    const cause = this.#failure ? fromWireError(this.#failure) : undefined
    const details = cause === undefined ? undefined : { reason: cause.code }
    return new AppError('world', 'E_PLUGIN_CRASHED', `The plugin ended: ${cause?.message ?? otherwise}`, {
      status: 503,
      hint: 'It starts again by itself; try once more.',
      ...(details ? { details } : {}),
      cause,
    })
  }
}

export function stoppedError(): AppError {
  return new AppError('world', 'E_PLUGIN_STOPPED', 'The plugin is being stopped', { status: 503 })
}
