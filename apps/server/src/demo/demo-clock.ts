import { type Clock, type Db, findSetting, writeSetting } from '@huitou/core'

const SETTING = 'demo.ahead'

/** The machine's time, and in a demo shop the days on top that somebody let pass. */
export class DemoClock implements Clock {
  #ahead = 0

  now(): number {
    return Date.now() + this.#ahead
  }

  machine(): number {
    return Date.now()
  }

  /** Takes up the time that was left when the server stopped. */
  async restore(db: Db): Promise<void> {
    const ahead = await findSetting(db, SETTING)
    if (typeof ahead === 'number' && ahead > 0) this.#ahead = ahead
  }

  /** Goes forward to `time`, epoch milliseconds; never back. */
  async moveTo(time: number, db: Db): Promise<void> {
    this.#ahead = Math.max(this.#ahead, time - Date.now())
    await writeSetting(db, SETTING, this.#ahead)
  }
}
