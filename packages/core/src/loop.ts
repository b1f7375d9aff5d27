import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from './context.ts'

/** A stage of the loop. */
export interface Stage {
  name: string
  /** Does a bounded piece of work, committed when it returns. Returns false when there was nothing to do. */
  advance(): Promise<boolean>
}

/** A lost signal costs this much, not more. */
const POLL_MS = 1_000
/** Pause after an error, doubled while it lasts; a database that comes back is met within seconds. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000

/**
 * Runs stages from left to right, again and again: while one has work, those behind it still get their turn.
 * `wake` cuts the wait short; `onAdvance` hears of every piece of work that was done. Ends when `signal` aborts, after the piece of work in hand.
 */
export function createLoop(
  stages: readonly Stage[],
  { log, signal, onAdvance }: { log: Logger; signal: AbortSignal; onAdvance?: (stage: string) => void },
): { wake(): void; ended: Promise<void> } {
  let woken = false
  let rouse: () => void = () => {}
  const wake = () => {
    woken = true
    rouse()
  }

  async function run(): Promise<void> {
    let pause = FIRST_PAUSE_MS
    while (!signal.aborted) {
      woken = false
      let more = false
      try {
        for (const stage of stages) {
          if (signal.aborted) return
          if (!(await stage.advance())) continue
          more = true
          onAdvance?.(stage.name)
        }
        pause = FIRST_PAUSE_MS
      } catch (error) {
        if (signal.aborted) return
        log.error(
          {
            error: error instanceof Error ? error.message : String(error),
            stack: error instanceof Error ? error.stack : undefined,
          },
          'A stage failed; it will try again',
        )
        await rest(pause)
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
        continue
      }
      // Lets requests in between two pieces of work; SQLite's calls do not yield by themselves.
      if (more) await new Promise<void>((resolve) => void setImmediate(resolve))
      else if (!woken) await rest(POLL_MS)
    }
  }

  async function rest(ms: number): Promise<void> {
    const nap = new AbortController()
    const roused = new Promise<void>((resolve) => (rouse = resolve))
    await Promise.race([
      sleep(ms, undefined, { signal: AbortSignal.any([signal, nap.signal]) }).catch(() => {}),
      roused,
    ])
    nap.abort()
  }

  return { wake, ended: run() }
}

/** Advances all stages until none has anything left to do. For commands and tests, which want an end. */
export async function runToEnd(stages: readonly Stage[]): Promise<void> {
  for (let more = true; more;) {
    more = false
    for (const stage of stages) while (await stage.advance()) more = true
  }
}
