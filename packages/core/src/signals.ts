import type { Notices } from './db/notices.ts'
import type { RunningLoops } from './run-loops.ts'

/**
 * Who is told that there is work: the loops of this process, and those of other nodes. Of what another node did only
 * the loops that build on it look again: with many nodes everything would otherwise run for everything.
 */
export class Signals {
  readonly #notices: Notices
  readonly #listeners = new Set<(stage: string) => void>()
  running: RunningLoops | undefined

  constructor(notices: Notices) {
    this.#notices = notices
    const all = () => this.running?.wake()
    for (const topic of ['wake', 'missed', 'nodes']) notices.on(topic, all)
    notices.on('appended', () => this.running?.wakeStages())
    notices.on('advanced', (stage) => {
      this.#tell(stage)
      this.running?.wakeStages()
      if (stage === 'journeys') this.running?.wakeSender()
    })
  }

  /** Something may be due anywhere. */
  wake(): void {
    this.running?.wake()
    this.#notices.tell('wake')
  }

  /** There are new events. */
  appended(): void {
    this.running?.wake()
    this.#notices.tell('appended')
  }

  /** A stage has written something here. */
  advanced(stage: string): void {
    this.#tell(stage)
    this.#notices.tell('advanced', stage)
  }

  /** Called when a stage has written something, on whichever node. */
  onAdvance(listener: (stage: string) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #tell(stage: string): void {
    for (const listener of this.#listeners) listener(stage)
  }
}
