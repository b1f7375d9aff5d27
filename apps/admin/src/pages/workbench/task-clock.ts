import type { Task } from '@huitou/admin-kit'

type Clocked = Pick<
  Task,
  'remainingBusinessMs' | 'slaMs' | 'clock' | 'endedAt' | 'pausedUntil' | 'dueAt' | 'overdue'
>

export type ClockState = 'running' | 'standing' | 'paused' | 'overdue' | 'ended'

/** Business time left at `now` of what was read at `readAt`: it runs only while people work. */
export function remainingAt({ remainingBusinessMs, clock }: Clocked, readAt: number, now: number): number {
  if (!clock.running) return remainingBusinessMs
  const until = clock.changesAt ?? Number.POSITIVE_INFINITY
  return remainingBusinessMs - Math.max(0, Math.min(now, until) - readAt)
}

export function clockState(task: Clocked, remaining: number): ClockState {
  if (task.endedAt !== null) return 'ended'
  if (task.pausedUntil !== null) return 'paused'
  if (task.overdue || remaining < 0) return 'overdue'
  return task.clock.running ? 'running' : 'standing'
}

/** Quiet while there is time, amber under a third, red when over. */
export function clockTone(state: ClockState, share: number): 'accent' | 'warning' | 'danger' | 'plain' {
  if (state === 'overdue') return 'danger'
  if (state === 'ended' || state === 'paused') return 'plain'
  return share < 1 / 3 ? 'warning' : 'accent'
}

/** `1:48` below an hour; longer times are said in words. */
export function countdown(ms: number): string | undefined {
  const seconds = Math.floor(Math.abs(ms) / 1_000)
  if (seconds >= 3_600) return undefined
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
