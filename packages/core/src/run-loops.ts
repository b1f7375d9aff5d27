import type { CoreContext } from './context.ts'
import type { Deliveries } from './deliveries/dispatch.ts'
import { createLoop, type Stage } from './loop.ts'
import type { Schedules } from './nodes/schedules.ts'
import type { ThisNode } from './nodes/this-node.ts'

export interface Loops {
  /** This process among others; undefined for one that is alone and does everything. */
  node: ThisNode | undefined
  schedules: Schedules
  /** The loop from left to right. */
  stages: Stage[]
  besides: Stage[]
  sending: Stage[]
  ticking: Stage[]
  deliveries: Deliveries
  /** Told of every piece of work that was done here. */
  onAdvance(stage: string): void
}

export interface RunningLoops {
  stop: AbortController
  /** All of them look again at once. */
  wake(): void
  wakeStages(): void
  wakeSender(): void
  ended: Promise<unknown>
}

/**
 * Runs the loop, and beside it what must not keep it waiting, until `stop` is aborted. Stages that one node at a time
 * may do are passed over where they are another's; everything else is shared row by row.
 */
export function runLoops({ log, jobs }: CoreContext, loops: Loops): RunningLoops {
  const { node, schedules, deliveries, onAdvance } = loops
  const stop = new AbortController()
  const { signal } = stop
  // Jobs that need files of this folder run here, whatever else this node does.
  if (node?.role === 'web') {
    const nothing = () => {}
    return { stop, wake: nothing, wakeStages: nothing, wakeSender: nothing, ended: jobs.run(signal, node) }
  }
  const guarded = (stages: Stage[]) => (node ? stages.map((stage) => node.claims.guard(stage)) : stages)
  const shared = (stages: Stage[]) => (node ? stages.map((stage) => node.claims.share(stage)) : stages)
  const beside = createLoop(shared(loops.besides), { log, signal })
  const wakeSender = () => {
    sender.wake()
    deliveries.wake()
  }
  const loop = createLoop(guarded(loops.stages), {
    log,
    signal,
    onAdvance(stage) {
      onAdvance(stage)
      if (stage === 'journeys') wakeSender()
    },
  })
  // What became of a message is an event that the first stage has to read.
  const sender = createLoop(shared(loops.sending), {
    log,
    signal,
    onAdvance(stage) {
      onAdvance(stage)
      loop.wake()
    },
  })
  const clock = createLoop(guarded(loops.ticking), { log, signal, onAdvance: () => loop.wake() })
  const ended = [loop.ended, beside.ended, sender.ended, clock.ended]
  return {
    stop,
    wake() {
      loop.wake()
      beside.wake()
      clock.wake()
      wakeSender()
    },
    wakeStages: () => loop.wake(),
    wakeSender,
    ended: Promise.all([...ended, jobs.run(signal, node), schedules.run(signal)]),
  }
}
