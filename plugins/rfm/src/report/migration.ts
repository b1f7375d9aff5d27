import type { Snapshot } from './snapshot.ts'
import { eachShared } from './snapshot.ts'

/** How one segment changed; `before − up − down + came = now`. */
export interface Movement {
  before: number
  /** Left for a better segment. */
  up: number
  /** Left for a worse one, or for none. */
  down: number
  /** Came from another segment, or bought for the first time. */
  came: number
  now: number
}

export interface Migration {
  /** One a segment, from best to worst. */
  segments: Movement[]
  /** Customers who had not bought before. */
  firstBuyers: number
}

type Placed = Pick<Snapshot, 'ids' | 'segments'>

/** Where the customers of each of `count` segments went between two snapshots. */
export function compareSnapshots(before: Placed, now: Placed, count: number): Migration {
  const segments: Movement[] = Array.from({ length: count }, () => ({
    before: 0,
    up: 0,
    down: 0,
    came: 0,
    now: 0,
  }))
  for (const segment of before.segments) if (segment >= 0) segments[segment]!.before++
  for (const segment of now.segments) if (segment >= 0) segments[segment]!.now++
  const stayed = new Array<number>(count).fill(0)
  let shared = 0
  eachShared(before.ids, now.ids, (rowBefore, rowNow) => {
    shared++
    const from = before.segments[rowBefore]!
    const to = now.segments[rowNow]!
    if (from < 0) return
    if (from === to) stayed[from]!++
    else if (to >= 0 && to < from) segments[from]!.up++
  })
  for (const [segment, movement] of segments.entries()) {
    movement.down = movement.before - stayed[segment]! - movement.up
    movement.came = movement.now - stayed[segment]!
  }
  return { segments, firstBuyers: now.ids.length - shared }
}
