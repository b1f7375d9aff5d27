import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { giveWay } from './give-way.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

test('a piece of work leaves as much time to events as it took, and no longer than they want', async () => {
  let wanted = 5
  let isBusy = false
  // Each append takes the thread for as long as a fifth of a piece, and its sender has the next one ready at once.
  const send = () => {
    if (wanted-- <= 0) return
    isBusy = true
    setImmediate(() => {
      busyFor(4)
      isBusy = false
      send()
    })
  }
  const seen: number[] = []
  const [stage] = giveWay(
    [
      {
        name: 'slow',
        advance() {
          seen.push(wanted)
          if (seen.length === 1) send()
          busyFor(60)
          return Promise.resolve(seen.length < 3)
        },
      },
    ],
    { isBusy: () => isBusy },
  )
  while (await stage!.advance()) continue
  // Between the first piece and the second all of them came through, not only one.
  expect(seen).toEqual([5, -1, -1])
})

/** Time passes as the test says, so that a busy machine makes no difference. */
function busyFor(ms: number): void {
  vi.advanceTimersByTime(ms)
}
